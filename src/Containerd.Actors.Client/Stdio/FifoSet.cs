// SPDX-License-Identifier: Apache-2.0

using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace Containerd.Actors.Client.Stdio;

/// <summary>The named pipes through which the shim carries a process's standard streams to a client.</summary>
/// <remarks>
/// The pipes are made and the client's ends opened before the task is created, so that neither side waits for the other. Until
/// <see cref="ReleaseWriters"/> the set holds the far ends open too: the reader would otherwise see the end of the stream before
/// the shim has opened it. Disposing closes everything and removes the directory.
/// </remarks>
public sealed class FifoSet : IDisposable
{
    private const uint OwnerOnly = 0x180; // rw for the owner

    private readonly string _directory;
    private readonly List<SafeFileHandle> _held = [];
    private readonly List<FileStream> _streams = [];

    private FifoSet(string directory) => _directory = directory;

    /// <summary>Path of the pipe for standard input; empty if the process gets none.</summary>
    public string Stdin { get; private set; } = "";

    /// <summary>Path of the pipe for standard output.</summary>
    public string Stdout { get; private set; } = "";

    /// <summary>Path of the pipe for standard error; empty with a terminal, which has one output.</summary>
    public string Stderr { get; private set; } = "";

    /// <summary>What the process writes; reads end when the shim has closed its end.</summary>
    public Stream Output { get; private set; } = Stream.Null;

    /// <summary>What the process writes to standard error.</summary>
    public Stream Error { get; private set; } = Stream.Null;

    /// <summary>Makes the pipes in a new directory below <paramref name="root"/>, readable by the owner only.</summary>
    /// <exception cref="IOException">The directory or a pipe could not be made; nothing is left.</exception>
    public static FifoSet Create(string root, string id, bool stdin, bool terminal)
    {
        string directory = Path.Combine(root, RandomNumberGenerator.GetHexString(16, lowercase: true));
        Directory.CreateDirectory(root);
        Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var set = new FifoSet(directory);
        try
        {
            set.Stdin = stdin ? set.Make($"{id}-stdin") : "";
            set.Stdout = set.Make($"{id}-stdout");
            set.Stderr = terminal ? "" : set.Make($"{id}-stderr");
            set.Output = set.OpenReader(set.Stdout);
            set.Error = terminal ? Stream.Null : set.OpenReader(set.Stderr);
            if (stdin)
            {
                set._held.Add(Native.OpenFifo(set.Stdin, Native.ReadWrite));
            }

            return set;
        }
        catch
        {
            set.Dispose();
            throw;
        }
    }

    /// <summary>Lets go of the shim's ends. Legal once the process has started, or will not.</summary>
    public void ReleaseWriters()
    {
        foreach (SafeFileHandle handle in _held)
        {
            handle.Dispose();
        }

        _held.Clear();
    }

    /// <summary>Opens the process's input for writing. Legal after the start and before <see cref="ReleaseWriters"/>.</summary>
    /// <returns>Null if the process gets no input, or has ended already.</returns>
    public Stream? OpenInput()
    {
        if (Stdin.Length == 0)
        {
            return null;
        }

        try
        {
            SafeFileHandle handle = Native.OpenFifo(Stdin, Native.WriteOnly);
            Native.MakeBlocking(handle, Native.WriteOnly, Stdin);
            return Track(new FileStream(handle, FileAccess.Write, bufferSize: 0));
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        ReleaseWriters();
        foreach (FileStream stream in _streams)
        {
            stream.Dispose();
        }

        try
        {
            Directory.Delete(_directory, recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
            return;
        }
    }

    private string Make(string name)
    {
        string path = Path.Combine(_directory, name);
        Native.MakeFifo(path, OwnerOnly);
        return path;
    }

    private FileStream OpenReader(string path)
    {
        SafeFileHandle reader = Native.OpenFifo(path, Native.ReadOnly);
        _held.Add(Native.OpenFifo(path, Native.WriteOnly));
        Native.MakeBlocking(reader, Native.ReadOnly, path);
        return Track(new FileStream(reader, FileAccess.Read, bufferSize: 0));
    }

    private FileStream Track(FileStream stream)
    {
        _streams.Add(stream);
        return stream;
    }
}
