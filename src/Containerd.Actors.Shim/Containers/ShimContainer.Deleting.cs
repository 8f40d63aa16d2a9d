// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Linux;
using Containerd.Actors.Linux.Processes;
using Containerd.Actors.Ttrpc;
using Containerd.Events;
using Containerd.Runtime.Task.V3;
using Status = Containerd.V1.Types.Status;
using Task = System.Threading.Tasks.Task;

namespace Containerd.Actors.Shim.Containers;

// How processes and the container itself go.
internal sealed partial class ShimContainer
{
    /// <summary>Completes when the OCI runtime has forgotten the container; never fails. Meaningful after <see cref="DeleteAsync"/>.</summary>
    public Task Forgotten { get; private set; } = Task.CompletedTask;

    /// <summary>Removes an added process that does not run.</summary>
    public async Task<DeleteResponse> DeleteExecAsync(string execId)
    {
        ShimProcess exec = Find(execId);
        using IDisposable gate = await EnterAsync(exec).ConfigureAwait(false);
        if (exec.IsAlive)
        {
            throw Refused("cannot delete a running process");
        }

        _execs.TryRemove(execId, out _);
        exec.Dispose();
        File.Delete(SpecOf(execId));
        File.Delete(Path.Combine(Bundle, PidFileOf(execId)));
        return await AnswerAsync(exec).ConfigureAwait(false);
    }

    /// <summary>Removes the container; one that was never started is ended first.</summary>
    /// <remarks>
    /// Of a container whose processes have all ended the OCI runtime keeps a record and empty cgroups. Nobody sees them, so it removes
    /// them while the answer is on its way. Hooks are programs that somebody may see the end of: with them it is waited for.
    /// </remarks>
    public async Task<DeleteResponse> DeleteAsync()
    {
        if (Init.Status is Status.Running or Status.Paused)
        {
            throw Refused("cannot delete a running process");
        }

        bool isLater = Init.Status == Status.Stopped && Init.Ended.IsCompleted && !_config.HasHooks;
        if (!isLater)
        {
            await _runtime.DeleteAsync(force: Init.Status == Status.Created).ConfigureAwait(false);
        }

        if (Init.Pid != 0)
        {
            await Init.Ended.WaitAsync(EndTimeout).ConfigureAwait(false);
        }

        MountTree.Unmount(Rootfs);
        Init.Dispose();
        if (isLater)
        {
            Forgotten = Task.Run(ForgetAsync);
        }

        DeleteResponse answer = await AnswerAsync(Init).ConfigureAwait(false);
        _tell(nameof(TaskDelete), new TaskDelete
        {
            ContainerId = Id, Pid = answer.Pid, ExitStatus = answer.ExitStatus, ExitedAt = answer.ExitedAt,
        });
        return answer;
    }

    private static async Task<DeleteResponse> AnswerAsync(ShimProcess process)
    {
        Ending ending = await process.Ended.ConfigureAwait(false);
        return new DeleteResponse { Pid = process.Pid, ExitStatus = ending.Status, ExitedAt = ending.At };
    }

    private async Task ForgetAsync()
    {
        try
        {
            try
            {
                await _runtime.DeleteAsync(force: false).ConfigureAwait(false);
            }
            catch (TtrpcStatusException)
            {
                await _runtime.TryDeleteAsync(CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is LinuxException or IOException or FormatException)
        {
            await Console.Error.WriteLineAsync($"{Id}: what the OCI runtime keeps of it was not removed: {e.Message}").ConfigureAwait(false);
        }
    }
}
