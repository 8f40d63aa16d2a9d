// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Linux.Processes;
using Containerd.Actors.Shim.Children;
using Containerd.Actors.Ttrpc;
using Microsoft.Win32.SafeHandles;

namespace Containerd.Actors.Shim.Stdio;

/// <summary>A program that takes what a process writes: descriptors 3 and 4, and 5 to say that it is ready.</summary>
internal sealed class LoggingProgram : IDisposable
{
    private const int SigTerm = 15;
    private const int SigKill = 9;
    private static readonly TimeSpan ReadyTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(12);
    private readonly ChildProcess _process;

    private LoggingProgram(ChildProcess process)
    {
        _process = process;
    }

    /// <summary>Starts the program of <c>binary:///PATH?KEY=VALUE…</c> and waits until it is ready.</summary>
    /// <exception cref="TtrpcStatusException">It did not become ready.</exception>
    public static async Task<LoggingProgram> StartAsync(
        string uri, string ns, string id, SafeFileHandle output, SafeFileHandle error, ChildProcesses children)
    {
        Uri parsed = new(uri);
        string path = Uri.UnescapeDataString(parsed.AbsolutePath);
        (SafeFileHandle readyReader, SafeFileHandle readyWriter) = Fifos.Pipe();
        using SafeFileHandle reader = readyReader;
        LoggingProgram program;
        using (readyWriter)
        {
            program = new LoggingProgram(children.Spawn(new SpawnRequest
            {
                Path = path,
                Arguments = [path, .. Arguments(parsed.Query)],
                Environment = [$"CONTAINER_ID={id}", $"CONTAINER_NAMESPACE={ns}"],
                Descriptors = [new InheritedDescriptor(3, output), new InheritedDescriptor(4, error), new InheritedDescriptor(5, readyWriter)],
            }));
        }

        try
        {
            byte[] told = new byte[1];
            int count = await RandomAccessRead(reader, told).WaitAsync(ReadyTimeout).ConfigureAwait(false);
            return count > 0 || parsed.Scheme == "binary"
                ? program
                : throw new TtrpcStatusException(TtrpcCode.Unknown, $"logging binary {path} ended before it was ready");
        }
        catch (TimeoutException)
        {
            program.Dispose();
            throw new TtrpcStatusException(TtrpcCode.DeadlineExceeded, $"logging binary {path} not ready after {ReadyTimeout.TotalSeconds:0} s");
        }
        catch
        {
            program.Dispose();
            throw;
        }
    }

    /// <summary>Lets the program end: it sees the end of its input; one that does not go is told to, then made to.</summary>
    public void Dispose() => _ = EndAsync(_process);

    private static async Task EndAsync(ChildProcess process)
    {
        process.Kill(SigTerm);
        try
        {
            await process.Exited.WaitAsync(EndTimeout).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            process.Kill(SigKill);
        }
        finally
        {
            process.Dispose();
        }
    }

    private static Task<int> RandomAccessRead(SafeFileHandle pipe, byte[] buffer) => Task.Run(() =>
    {
        using FileStream stream = new(pipe, FileAccess.Read, bufferSize: 0);
        return stream.Read(buffer, 0, buffer.Length);
    });

    private static IEnumerable<string> Arguments(string query)
    {
        foreach (string pair in query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] parts = pair.Split('=', 2);
            yield return Uri.UnescapeDataString(parts[0]);
            if (parts.Length > 1 && parts[1].Length > 0)
            {
                yield return Uri.UnescapeDataString(parts[1]);
            }
        }
    }
}
