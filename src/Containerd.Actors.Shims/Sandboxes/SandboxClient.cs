// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Protocol.Errors;
using Containerd.Runtime.Sandbox.V1;
using Google.Protobuf;

namespace Containerd.Actors.Shims.Sandboxes;

/// <summary>The sandbox API of one shim for one sandbox.</summary>
/// <remarks>
/// Each call may throw <see cref="RefusedException"/> with the shim's own text, also when its time is up, and
/// <see cref="ShimClosedException"/> when the connection is lost.
/// </remarks>
public sealed class SandboxClient(ShimConnection connection)
{
    private const string Service = "containerd.runtime.sandbox.v1.Sandbox";
    private readonly string _id = connection.Bundle.Id;

    /// <summary>Makes the sandbox.</summary>
    public Task CreateAsync(CreateSandboxRequest request, CancellationToken cancellation) =>
        CallAsync("CreateSandbox", request, CreateSandboxResponse.Parser, cancellation);

    /// <summary>Starts it.</summary>
    public Task<StartSandboxResponse> StartAsync(CancellationToken cancellation) =>
        CallAsync("StartSandbox", new StartSandboxRequest { SandboxId = _id }, StartSandboxResponse.Parser, cancellation);

    /// <summary>For what it runs containers.</summary>
    public Task<PlatformResponse> PlatformAsync(CancellationToken cancellation) =>
        CallAsync("Platform", new PlatformRequest { SandboxId = _id }, PlatformResponse.Parser, cancellation);

    /// <summary>Ends what runs in it.</summary>
    public Task StopAsync(uint timeoutSeconds, CancellationToken cancellation) => CallAsync(
        "StopSandbox", new StopSandboxRequest { SandboxId = _id, TimeoutSecs = timeoutSeconds }, StopSandboxResponse.Parser, cancellation);

    /// <summary>Answered when it has ended.</summary>
    public Task<WaitSandboxResponse> WaitAsync(CancellationToken cancellation) =>
        CallAsync("WaitSandbox", new WaitSandboxRequest { SandboxId = _id }, WaitSandboxResponse.Parser, cancellation);

    /// <summary>What it is doing.</summary>
    public Task<SandboxStatusResponse> StatusAsync(bool isVerbose, CancellationToken cancellation) => CallAsync(
        "SandboxStatus", new SandboxStatusRequest { SandboxId = _id, Verbose = isVerbose }, SandboxStatusResponse.Parser, cancellation);

    /// <summary>A sign of life.</summary>
    public Task PingAsync(CancellationToken cancellation) =>
        CallAsync("PingSandbox", new PingRequest { SandboxId = _id }, PingResponse.Parser, cancellation);

    /// <summary>Ends it and the shim; that the connection is lost over it is success.</summary>
    public async Task ShutdownAsync(CancellationToken cancellation)
    {
        try
        {
            await CallAsync(
                "ShutdownSandbox", new ShutdownSandboxRequest { SandboxId = _id }, ShutdownSandboxResponse.Parser, cancellation).ConfigureAwait(false);
        }
        catch (ShimClosedException)
        {
            // It ended before its answer was out, which is what was asked for.
        }
    }

    /// <summary>What it uses.</summary>
    public Task<SandboxMetricsResponse> MetricsAsync(CancellationToken cancellation) =>
        CallAsync("SandboxMetrics", new SandboxMetricsRequest { SandboxId = _id }, SandboxMetricsResponse.Parser, cancellation);

    private Task<TResponse> CallAsync<TRequest, TResponse>(
        string method, TRequest request, MessageParser<TResponse> parser, CancellationToken cancellation)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse> =>
        connection.Client.CallAsync(Service, method, request, parser, null, cancellation);
}
