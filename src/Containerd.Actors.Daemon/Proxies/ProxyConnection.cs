// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Containerd.Actors.Client.Connections;
using Containerd.Actors.Daemon.Configuration;
using Containerd.Actors.Protocol.Errors;
using Grpc.Core;

namespace Containerd.Actors.Daemon.Proxies;

/// <summary>The way to one plugin: calls carry the namespace, end in time, and fail with an error that names the plugin.</summary>
internal sealed class ProxyConnection : IDisposable
{
    private readonly ProxyPlugin _plugin;

    public ProxyConnection(ProxyPlugin plugin)
    {
        _plugin = plugin;
        Client = ContainerdConnection.Open(plugin.Address, ContainerdConnection.DefaultNamespace);
    }

    /// <summary>The plugin's API. Nothing is connected before the first call, and again after the plugin was away.</summary>
    public ContainerdConnection Client { get; }

    /// <summary>Makes a call.</summary>
    /// <exception cref="RefusedException">The plugin refused, is away, or did not answer in time.</exception>
    public async Task<T> CallAsync<T>(string ns, string name, Func<CallOptions, Task<T>> call, CancellationToken cancellationToken)
    {
        Metadata headers = new() { { "containerd-namespace", ns } };
        try
        {
            return await call(new CallOptions(headers, DateTime.UtcNow + _plugin.Timeout, cancellationToken));
        }
        catch (RpcException failure) when (!cancellationToken.IsCancellationRequested)
        {
            throw new RefusedException(ToError(failure, name), failure);
        }
        catch (RpcException failure)
        {
            throw new OperationCanceledException(name, failure, cancellationToken);
        }
    }

    /// <summary>Waits for one step of a stream.</summary>
    /// <param name="step">The step.</param>
    /// <param name="name">What it is called in errors.</param>
    /// <param name="call">Cancelled when the step takes too long; the stream was begun with its token.</param>
    /// <param name="cancellationToken">What the caller may cancel.</param>
    /// <exception cref="RefusedException">The plugin refused, is away, or did not answer in time.</exception>
    public async Task<T> StepAsync<T>(Func<Task<T>> step, string name, CancellationTokenSource call, CancellationToken cancellationToken)
    {
        call.CancelAfter(_plugin.Timeout);
        await using CancellationTokenRegistration cancelled = cancellationToken.UnsafeRegister(static state => ((CancellationTokenSource)state!).Cancel(), call);
        try
        {
            return await step();
        }
        catch (RpcException failure) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(name, failure, cancellationToken);
        }
        catch (RpcException failure)
        {
            throw new RefusedException(call.IsCancellationRequested ? TooLate(name) : ToError(failure, name), failure);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new RefusedException(TooLate(name));
        }
        finally
        {
            // How long the next step is in coming is not the plugin's fault.
            call.CancelAfter(Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>How a stream is begun: it lasts as long as its steps are taken in time.</summary>
    public static CallOptions Stream(string ns, CancellationTokenSource call) => new(new Metadata { { "containerd-namespace", ns } }, cancellationToken: call.Token);

    /// <inheritdoc />
    public void Dispose() => Client.Dispose();

    private Error ToError(RpcException failure, string call) => failure.StatusCode switch
    {
        // What the connection itself met with has an exception; what the plugin says has none.
        StatusCode.Unavailable when failure.Status.DebugException is { } reason =>
            Error.Unavailable($"proxy plugin \"{_plugin.Name}\" at {_plugin.Address}: {call}: {reason.GetBaseException().Message}"),
        StatusCode.DeadlineExceeded => TooLate(call),
        _ => new Error(KindOf(failure), failure.Status.Detail),
    };

    private Error TooLate(string call) => new(ErrorKind.DeadlineExceeded, string.Create(
        CultureInfo.InvariantCulture,
        $"proxy plugin \"{_plugin.Name}\" at {_plugin.Address}: {call}: has not answered within {_plugin.Timeout.TotalSeconds:0.###}s"));

    private static ErrorKind KindOf(RpcException failure) => failure.StatusCode switch
    {
        StatusCode.InvalidArgument => ErrorKind.InvalidArgument,
        StatusCode.NotFound => ErrorKind.NotFound,
        StatusCode.AlreadyExists => ErrorKind.AlreadyExists,
        StatusCode.PermissionDenied => ErrorKind.PermissionDenied,
        StatusCode.ResourceExhausted => ErrorKind.ResourceExhausted,
        StatusCode.FailedPrecondition => ErrorKind.FailedPrecondition,
        StatusCode.Aborted => ErrorKind.Aborted,
        StatusCode.OutOfRange => ErrorKind.OutOfRange,
        StatusCode.Unimplemented => ErrorKind.NotImplemented,
        StatusCode.Internal => ErrorKind.Internal,
        StatusCode.Unavailable => ErrorKind.Unavailable,
        StatusCode.DataLoss => ErrorKind.DataLoss,
        StatusCode.Unauthenticated => ErrorKind.Unauthenticated,
        StatusCode.Cancelled => ErrorKind.Canceled,
        _ => ErrorKind.Unknown,
    };
}
