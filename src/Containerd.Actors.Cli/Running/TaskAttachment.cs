// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Client.Lifecycles;
using Grpc.Core;

namespace Containerd.Actors.Cli.Running;

/// <summary>A process that was created by a call and is started by another.</summary>
/// <remarks>
/// A daemon that goes away meanwhile does not end the process: the wait is taken up again when the daemon is back.
/// </remarks>
internal sealed class TaskAttachment(TaskProcess process, TimeProvider time) : IAttachment
{
    private static readonly TimeSpan AbsenceMax = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(250);

    /// <inheritdoc />
    public bool IsCreated => true;

    /// <inheritdoc />
    public Task StartAsync() => process.StartAsync(CancellationToken.None);

    /// <inheritdoc />
    public async Task<ProcessExit> WaitAsync()
    {
        long? since = null;
        while (true)
        {
            try
            {
                return await process.WaitAsync(CancellationToken.None).ConfigureAwait(false);
            }
            catch (RpcException absent) when (absent.StatusCode is StatusCode.Unavailable
                && time.GetElapsedTime(since ??= time.GetTimestamp()) < AbsenceMax)
            {
                await Task.Delay(RetryInterval, time).ConfigureAwait(false);
            }
        }
    }
}
