// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Filters;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using CsCheck;

namespace Containerd.Actors.Core.Tests.Filters;

public sealed class FilterSpecs
{
    [Theory]
    [InlineData("", true)]
    [InlineData("name", true)]
    [InlineData("absent", false)]
    [InlineData("name==redis", true)]
    [InlineData("name == redis", true)]
    [InlineData("name==other", false)]
    [InlineData("name!=other", true)]
    [InlineData("absent!=anything", true)]
    [InlineData("absent==anything", false)]
    [InlineData("name~=ed", true)]
    [InlineData("name~=/^r.*s$/", true)]
    [InlineData("name~=|^x|", false)]
    [InlineData("absent~=^$", true)]
    [InlineData("name~=\"(\"", false)]
    [InlineData("name==redis,labels.a.b==1", true)]
    [InlineData("name==redis,labels.a.b==2", false)]
    [InlineData("labels.\"x/y\"==z", true)]
    [InlineData("topic==\"/tasks/exit\"", true)]
    [InlineData("name==\"\\x72ed\\u0069s\"", true)]
    [InlineData("name==\"\\162edis\"", true)]
    public void A_filter_matches_as_in_containerd(string text, bool matches) =>
        Assert.Equal(matches, FilterSet.Parse([text]).Matches(Field));

    [Fact]
    public void One_filter_of_several_is_enough() => Assert.True(FilterSet.Parse(["name==x", "name==redis"]).Matches(Field));

    [Fact]
    public void Without_filters_everything_matches() => Assert.True(FilterSet.Parse([]).Matches(Field));

    [Theory]
    [InlineData("name=redis", "filters: parse error: [name >|=|< redis]: unsupported operator: invalid argument")]
    [InlineData("name==", "filters: parse error: [name== >||< ]: expected value or quoted: invalid argument")]
    [InlineData("name==/x/", "filters: parse error: [name== >|/|< x/]: expected value or quoted: invalid argument")]
    [InlineData("name==\"x", "filters: parse error: [name== >|\"|< x]: quoted literal not terminated: invalid argument")]
    [InlineData("==x", "filters: parse error: [ >|=|< =x]: expected field or quoted: invalid argument")]
    public void What_is_no_filter_is_refused_with_the_place(string text, string error) =>
        Assert.Equal(error, Assert.IsType<Refused<FilterSet>>(FilterSet.TryParse([text])).Error.Text);

    [Fact]
    public void Any_text_is_a_filter_or_a_refusal() => Gen.String[Gen.Char["ab.,=!~\"/|\\x0 \n"], 0, 30].Sample(text =>
    {
        switch (FilterSet.TryParse([text]))
        {
            case Done<FilterSet> done:
                done.Result.Matches(Field);
                break;
            case Refused<FilterSet> refused:
                Assert.Equal(ErrorKind.InvalidArgument, refused.Error.Kind);
                break;
        }
    });

    private static bool Field(IReadOnlyList<string> path, out string value)
    {
        value = string.Join('.', path) switch
        {
            "name" => "redis",
            "labels.a.b" => "1",
            "labels.x/y" => "z",
            "topic" => "/tasks/exit",
            _ => "",
        };
        return value.Length > 0;
    }
}
