// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Filters;
using Containerd.Actors.Fuzzing;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;

namespace Containerd.Actors.Core.Tests.Filters;

/// <summary>Whatever a client sends as a filter, it is a filter or refused as none.</summary>
public sealed class FilterFuzzSpecs
{
    private static readonly string[] Samples =
    [
        "id==redis", "labels.\"containerd.io/x\"==y", "name~=/^docker.io\\/.*$/,labels.k", "a.b.c!=\"v\\u00e9\\n\\x41\\101\"", "topic=~|a|b|",
        "labels.k~=(a+)+$", "foo~=|a{2,}|,bar!=\"\"",
    ];

    private static readonly string[] Tokens =
    [
        "==", "!=", "~=", ",", ".", "\"", "/", "|", "\\", "\\x", "\\u12", "\\U0010FFFF", "\\377", "(", ")*", "[", "{1000}", "(?=", "labels", " ", "\t", "\ud800",
    ];

    [Fact]
    public Task A_filter_is_read_or_refused_and_then_matches_or_not() => Fuzz.RunAsync(20_000, [], random =>
    {
        string text = Fuzz.Text(random, Samples, Tokens);
        switch (FilterParser.Parse(text))
        {
            case Refused<Filter> refused:
                Assert.Equal(ErrorKind.InvalidArgument, refused.Error.Kind);
                Assert.StartsWith("filters: parse error: [", refused.Error.Text, StringComparison.Ordinal);
                break;
            case Done<Filter> done:
                done.Result.Matches(Everything);
                done.Result.Matches(Nothing);
                break;
        }
    });

    private static bool Everything(IReadOnlyList<string> path, out string value)
    {
        value = new string('a', 2000) + string.Join('.', path);
        return true;
    }

    private static bool Nothing(IReadOnlyList<string> path, out string value)
    {
        value = "";
        return false;
    }
}
