// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Linux.Processes;
using Containerd.Actors.Shim.Children;
using Containerd.Actors.Ttrpc;
using Containerd.Runc.V1;
using Microsoft.Win32.SafeHandles;

namespace Containerd.Actors.Shim.Stdio;

/// <summary>The standard streams of one process without a terminal.</summary>
/// <remarks>
/// The process gets the client's own FIFOs and files: nothing is copied, so a reader that is slow or gone holds up the process and
/// never the shim. A client is given some time to open its side, as what was written is lost with the last end. The shim holds the other end of each FIFO, so that a reader may come and go, and of standard input until the
/// client closes it.
/// </remarks>
internal sealed class ProcessStreams : IDisposable
{
    /// <summary>Longest wait for a client to open its side of an output.</summary>
    public static readonly TimeSpan ReaderPatience = TimeSpan.FromSeconds(5);

    private const UnixFileMode FileMode644 = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    private readonly List<IDisposable> _given = [];
    private readonly List<IDisposable> _held = [];
    private SafeFileHandle? _inputWriter;
    private LoggingProgram? _logger;

    private ProcessStreams()
    {
    }

    /// <summary>What the process reads.</summary>
    public SpawnStream Input { get; private set; } = SpawnStream.Null;

    /// <summary>Where the process writes.</summary>
    public SpawnStream Output { get; private set; } = SpawnStream.Null;

    /// <summary>Where it writes what went wrong.</summary>
    public SpawnStream Error { get; private set; } = SpawnStream.Null;

    /// <summary>No streams: for a process with a terminal.</summary>
    public static ProcessStreams None() => new();

    /// <summary>Opens what the client asked for.</summary>
    /// <exception cref="TtrpcStatusException">The scheme is not known.</exception>
    /// <exception cref="Core.Linux.LinuxException">Something could not be opened.</exception>
    public static async Task<ProcessStreams> OpenAsync(StdioRequest request, Options options, string ns, string id, ChildProcesses children)
    {
        ProcessStreams streams = new();
        try
        {
            if (request.Input.Length > 0)
            {
                streams.OpenInput(StdioRequest.PathOf(request.Input), options);
            }

            switch (request.Scheme)
            {
                case "fifo":
                    streams.Output = await streams.OpenOutputAsync(StdioRequest.PathOf(request.Output), options).ConfigureAwait(false);
                    streams.Error = request.Error == request.Output && request.Error.Length > 0
                        ? SpawnStream.SameAsOutput
                        : await streams.OpenOutputAsync(StdioRequest.PathOf(request.Error), options).ConfigureAwait(false);
                    break;
                case "file":
                    streams.OpenFile(StdioRequest.PathOf(request.Output));
                    break;
                case "binary" or "binary-v2":
                    await streams.OpenLoggerAsync(request.Output, ns, id, children).ConfigureAwait(false);
                    break;
                default:
                    throw new TtrpcStatusException(TtrpcCode.Unknown, $"unknown STDIO scheme {request.Scheme}");
            }

            return streams;
        }
        catch
        {
            streams.Dispose();
            throw;
        }
    }

    /// <summary>The process has its copies now; the shim's are let go, so that an end is seen when the process ends.</summary>
    public void Handed()
    {
        _given.ForEach(given => given.Dispose());
        _given.Clear();
    }

    /// <summary>Lets standard input end once the client has closed its side too.</summary>
    public void CloseInput()
    {
        _inputWriter?.Dispose();
        _inputWriter = null;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        Handed();
        CloseInput();
        _held.ForEach(held => held.Dispose());
        _held.Clear();
        _logger?.Dispose();
        _logger = null;
    }

    private void OpenInput(string path, Options options)
    {
        (SafeFileHandle reader, SafeFileHandle writer) = Fifos.OpenBoth(path);
        _given.Add(reader);
        _inputWriter = writer;
        Own(reader, options);
        Input = SpawnStream.To(reader);
    }

    private async Task<SpawnStream> OpenOutputAsync(string path, Options options)
    {
        if (path.Length == 0)
        {
            return SpawnStream.Null;
        }

        SafeFileHandle? writer = await Fifos.OpenWriterAsync(path, ReaderPatience).ConfigureAwait(false);
        if (writer is not null && !Fifos.IsFifo(writer))
        {
            writer.Dispose();
            SafeFileHandle file = Fifos.OpenForAppending(path);
            _given.Add(file);
            return SpawnStream.To(file);
        }

        SafeFileHandle reader;
        if (writer is null)
        {
            // The client takes longer, or has nobody to read: the process does not wait for that.
            (reader, writer) = Fifos.OpenBoth(path);
            _given.Add(writer);
        }
        else
        {
            _given.Add(writer);
            reader = Fifos.OpenReader(path);
        }

        _held.Add(reader);
        Own(writer, options);
        return SpawnStream.To(writer);
    }

    private void OpenFile(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using (new FileStream(path, new FileStreamOptions { Mode = System.IO.FileMode.OpenOrCreate, Access = FileAccess.Write, UnixCreateMode = FileMode644 }))
        {
        }

        SafeFileHandle file = Fifos.OpenForAppending(path);
        _given.Add(file);
        (Output, Error) = (SpawnStream.To(file), SpawnStream.SameAsOutput);
    }

    private async Task OpenLoggerAsync(string uri, string ns, string id, ChildProcesses children)
    {
        (SafeFileHandle outputReader, SafeFileHandle outputWriter) = Fifos.Pipe();
        (SafeFileHandle errorReader, SafeFileHandle errorWriter) = Fifos.Pipe();
        _given.AddRange([outputWriter, errorWriter]);
        using (outputReader)
        using (errorReader)
        {
            _logger = await LoggingProgram.StartAsync(uri, ns, id, outputReader, errorReader, children).ConfigureAwait(false);
        }

        (Output, Error) = (SpawnStream.To(outputWriter), SpawnStream.To(errorWriter));
    }

    private static void Own(SafeFileHandle stream, Options options)
    {
        if (options.IoUid != 0 || options.IoGid != 0)
        {
            Fifos.ChangeOwner(stream, options.IoUid, options.IoGid);
        }
    }
}
