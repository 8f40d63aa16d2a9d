// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Security.Cryptography;
using Containerd.Actors.Cli.Errors;
using Containerd.Actors.Client.Lifecycles;
using Containerd.Actors.Client.Stdio;
using Containerd.Actors.Client.Values;
using Containerd.Services.Containers.V1;
using Containerd.Services.Tasks.V1;

namespace Containerd.Actors.Cli.Running;

/// <summary>What <c>cactl exec</c> was asked for.</summary>
internal sealed record ExecRequest(string Id, IReadOnlyList<string> Command)
{
    public bool Terminal { get; init; }

    public bool Interactive { get; init; }

    /// <summary><c>KEY=VALUE</c> entries.</summary>
    public IReadOnlyList<string> Environment { get; init; } = [];

    /// <summary>Null for the container's.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>Null for the container's.</summary>
    public string? User { get; init; }
}

/// <summary>Runs another process in a running container, in the foreground.</summary>
internal sealed class ContainerExec(Session session, ExecRequest request)
{
    /// <summary>Answers the exit status of the process.</summary>
    /// <exception cref="CliFailure">The container does not run, or its spec cannot be read.</exception>
    public async Task<int> ExecuteAsync(CancellationToken cancellation)
    {
        GetContainerResponse found = await session.Connection.Containers.GetAsync(
            new GetContainerRequest { Id = request.Id }, cancellationToken: cancellation).ConfigureAwait(false);
        GetResponse task = await session.Connection.Tasks.GetAsync(
            new GetRequest { ContainerId = request.Id }, cancellationToken: cancellation).ConfigureAwait(false);
        if (task.Process.Status != V1.Types.Status.Running)
        {
            string status = task.Process.Status.ToString().ToLowerInvariant();
            throw new CliFailure(request.Id, $"the container is {status}, not running", "\"cactl ps -a\" shows why");
        }

        byte[] spec = ExecProcess.Compose(
            found.Container.Spec.Value.Span, request, string.Create(CultureInfo.InvariantCulture, $"/proc/{task.Process.Pid}/root"));
        using SignalForwarding signals = SignalForwarding.Start();
        string execId = "exec-" + RandomNumberGenerator.GetHexString(12, lowercase: true);
        using FifoSet fifos = FifoSet.Create(ContainerRun.FifoRoot, execId, request.Interactive, request.Terminal);
        await session.Connection.Tasks.ExecAsync(
            new ExecProcessRequest
            {
                ContainerId = request.Id,
                ExecId = execId,
                Stdin = fifos.Stdin,
                Stdout = fifos.Stdout,
                Stderr = fifos.Stderr,
                Terminal = request.Terminal,
                Spec = TypedAny.OfJson(TypedAny.ProcessUrl, spec),
            },
            cancellationToken: CancellationToken.None).ConfigureAwait(false);
        var process = new TaskProcess(session.Connection, request.Id, execId);
        try
        {
            TaskAttachment attachment = new(process, session.Time);
            return await new AttachedProcess(attachment, process, fifos, request.Terminal, request.Interactive, session.Time)
                .RunAsync(signals).ConfigureAwait(false);
        }
        finally
        {
            await process.DeleteAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }
}
