// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Grpc.Calls;
using Containerd.Actors.Protocol.Callers;
using Grpc.Core;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace Containerd.Actors.Grpc.Tests.Calls;

/// <summary>A call of root's with these headers, without a connection.</summary>
internal sealed class FakeCall : ServerCallContext
{
    // The key under which Grpc.AspNetCore looks for the request of a call that is not its own.
    private const string HttpContextKey = "__HttpContext";

    private readonly TaskCompletionSource _headersWritten = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Metadata _headers = [];
    private readonly Dictionary<object, object> _userState;

    public FakeCall(params (string Key, string Value)[] headers)
    {
        foreach ((string key, string value) in headers)
        {
            _headers.Add(key, value);
        }

        var http = new DefaultHttpContext();
        http.Features.Set<IConnectionItemsFeature>(new ConnectionItems());
        _userState = new() { [HttpContextKey] = http };
    }

    public static Principal Root { get; } = Principal.User(0, 0, 42, "/usr/bin/ctr");

    public static FakeCall In(string ns) => new(("containerd-namespace", ns));

    protected override string MethodCore => "";

    protected override string HostCore => "";

    protected override string PeerCore => "";

    protected override DateTime DeadlineCore => DateTime.MaxValue;

    protected override Metadata RequestHeadersCore => _headers;

    /// <summary>Cancelled when the client hangs up.</summary>
    public CancellationToken HangUp { get; init; }

    /// <summary>Completes when the client has the headers.</summary>
    public Task HeadersWritten => _headersWritten.Task;

    protected override CancellationToken CancellationTokenCore => HangUp;

    protected override Metadata ResponseTrailersCore { get; } = [];

    protected override Status StatusCore { get; set; }

    protected override WriteOptions? WriteOptionsCore { get; set; }

    protected override AuthContext AuthContextCore { get; } = new("", []);

    protected override IDictionary<object, object> UserStateCore => _userState;

    protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options) =>
        throw new NotSupportedException();

    protected override Task WriteResponseHeadersAsyncCore(Metadata responseHeaders)
    {
        _headersWritten.TrySetResult();
        return Task.CompletedTask;
    }

    private sealed class ConnectionItems : IConnectionItemsFeature
    {
        public IDictionary<object, object?> Items { get; set; } = new Dictionary<object, object?> { [Call.PrincipalItem] = Root };
    }
}
