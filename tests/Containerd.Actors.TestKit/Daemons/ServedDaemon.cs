// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using Containerd.Actors.Client.Connections;
using Containerd.Actors.Linux.Mounts;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Containerd.Actors.TestKit.Daemons;

/// <summary>A daemon that speaks containerd's API, with directories of its own; it ends and its files go with the fixture.</summary>
public abstract class ServedDaemon : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly List<ContainerdConnection> _connections = [];
    private Process? _process;

    /// <summary>Why it cannot run on this machine; empty when it can.</summary>
    public abstract string Missing { get; }

    /// <summary>Its directory, for whatever a test needs beside it.</summary>
    public string Work { get; } = Path.Combine(Path.GetTempPath(), $"served-{Guid.NewGuid():N}"[..15]);

    /// <summary>Its process. Legal while it runs.</summary>
    public int Pid => _process!.Id;

    /// <summary>Its socket.</summary>
    public string Address => Path.Combine(Work, "c.sock");

    /// <summary>Where it keeps what lasts.</summary>
    public string Root => Path.Combine(Work, "root");

    /// <summary>Where it keeps what need not last.</summary>
    public string State => Path.Combine(Work, "state");

    // What it and its shims say.
    private string Log => Path.Combine(Work, "log");

    /// <inheritdoc />
    public virtual async Task InitializeAsync()
    {
        if (Missing.Length == 0)
        {
            Directory.CreateDirectory(Work);
            await StartAsync();
        }
    }

    /// <inheritdoc />
    public virtual async Task DisposeAsync()
    {
        _connections.ForEach(connection => connection.Dispose());
        await KillAsync();
        if (Directory.Exists(Work))
        {
            Mounter.UnmountRecursive(Work, Mounter.Detach);
            Directory.Delete(Work, recursive: true);
        }
    }

    /// <summary>A connection in this namespace; it is closed with the fixture.</summary>
    public ContainerdConnection Connect(string ns)
    {
        ContainerdConnection connection = ContainerdConnection.Open(Address, ns);
        _connections.Add(connection);
        return connection;
    }

    /// <summary>A connection in a namespace that nobody else uses.</summary>
    public ContainerdConnection Fresh() => Connect($"ns-{Guid.NewGuid():N}");

    /// <summary>Starts it and waits until it answers.</summary>
    public async Task StartAsync()
    {
        // Its shims inherit what it writes to: a file, which outlives it, and which is there to be read when a start fails.
        ProcessStartInfo command = Command();
        _process = Process.Start("/bin/sh", ["-c", $"exec \"$0\" \"$@\" 2>>'{Log}'", command.FileName, .. command.ArgumentList]);
        using ContainerdConnection connection = ContainerdConnection.Open(Address, "default");
        // Short: how long a start takes is measured with this.
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(2));
        long started = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                await connection.Version.VersionAsync(new Empty());
                return;
            }
            catch (RpcException silent) when (silent.StatusCode == StatusCode.Unavailable && Stopwatch.GetElapsedTime(started) < Patience)
            {
                Assert.False(_process.HasExited, $"{command.FileName} ended: {(_process.HasExited ? await File.ReadAllTextAsync(Log) : "")}");
                await timer.WaitForNextTickAsync();
            }
        }
    }

    /// <summary>Ends it as a power cut would.</summary>
    public async Task KillAsync()
    {
        if (_process is { } process)
        {
            _process = null;
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }
    }

    /// <summary>Asks it to stop and waits until it has.</summary>
    public async Task StopAsync()
    {
        Signal("TERM");
        await _process!.WaitForExitAsync().WaitAsync(Patience);
        _process.Dispose();
        _process = null;
    }

    /// <summary>Signals it.</summary>
    public void Signal(string name)
    {
        using Process kill = Process.Start("kill", [$"-{name}", $"{_process!.Id}"]);
        kill.WaitForExit();
    }

    /// <summary>How it is started.</summary>
    protected abstract ProcessStartInfo Command();
}
