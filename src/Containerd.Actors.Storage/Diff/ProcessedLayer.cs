// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using System.IO.Pipes;
using System.Text;
using Containerd.Actors.Core.Linux;
using Containerd.Actors.Linux.Processes;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Values;

namespace Containerd.Actors.Storage.Diff;

/// <summary>A layer on its way through programs: each reads what the one before it writes. Disposing kills what still runs.</summary>
/// <remarks>
/// As in containerd: the environment names the media type in <c>STREAM_PROCESSOR_MEDIATYPE</c>, and what the caller has for a program is
/// on descriptor 3 as an encoded <c>google.protobuf.Any</c>.
/// </remarks>
public sealed class ProcessedLayer : IDisposable
{
    private const int SigKill = 9;
    private const int ErrorOutputMax = 4096;
    private const int PayloadDescriptor = 3;
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(10);

    private readonly List<(StreamProcessor Processor, ChildProcess Child, Task<string> ErrorOutput)> _running = [];
    private readonly List<IDisposable> _ends = [];
    private CancellationTokenRegistration _kill;

    private ProcessedLayer(Stream stream, string mediaType) => (Stream, MediaType) = (stream, mediaType);

    /// <summary>What comes out of the last program, or the blob.</summary>
    public Stream Stream { get; private set; }

    /// <summary>Its media type.</summary>
    public string MediaType { get; }

    internal static ProcessedLayer Start(
        Stream blob,
        ImmutableArray<StreamProcessor> chain,
        string mediaType,
        string last,
        IReadOnlyDictionary<string, AnyValue> payloads,
        CancellationToken cancellation)
    {
        ProcessedLayer layer = new(blob, last);
        try
        {
            string current = mediaType;
            foreach (StreamProcessor processor in chain)
            {
                layer.Add(processor, current, payloads.GetValueOrDefault(processor.Name));
                current = processor.Returns;
            }

            layer._kill = cancellation.Register(layer.Kill);
            return layer;
        }
        catch
        {
            layer.Dispose();
            throw;
        }
    }

    /// <summary>Waits for the programs, whose output was read to its end or is not wanted, and says which failed; null if none did.</summary>
    public Error? Failure()
    {
        foreach ((StreamProcessor processor, ChildProcess child, Task<string> errorOutput) in _running)
        {
            if (!child.Exited.Wait(EndPatience))
            {
                return new Error(ErrorKind.DeadlineExceeded, $"stream processor {processor.Name}: goes on {EndPatience.TotalSeconds:0} s after its output ended");
            }

            ProcessExit exit = child.Exited.Result;
            if (!exit.IsSuccess)
            {
                string said = errorOutput.Wait(EndPatience) ? errorOutput.Result.Trim() : "";
                return Error.Unknown($"stream processor {processor.Name}: {exit}{(said.Length > 0 ? $": {said}" : "")}");
            }
        }

        return null;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _kill.Dispose();
        Kill();
        _running.ForEach(running => running.Child.Dispose());
        _ends.ForEach(end => end.Dispose());
    }

    private void Kill() => _running.ForEach(running => running.Child.Kill(SigKill));

    private void Add(StreamProcessor processor, string mediaType, AnyValue? payload)
    {
        AnonymousPipeServerStream output = new(PipeDirection.In, HandleInheritability.None);
        _ends.Add(output);
        SpawnStream input = Stream switch
        {
            FileStream file => SpawnStream.To(file.SafeFileHandle),
            AnonymousPipeServerStream pipe => SpawnStream.To(pipe.SafePipeHandle),
            _ => throw new RefusedException(Error.NotImplemented($"stream processor {processor.Name}: the layer is not in a file")),
        };
        AnonymousPipeServerStream? given = payload is null ? null : new AnonymousPipeServerStream(PipeDirection.Out, HandleInheritability.None);
        ChildProcess child;
        try
        {
            child = ChildProcess.Spawn(new SpawnRequest
            {
                Path = processor.Path,
                Arguments = [processor.Path, .. processor.Arguments],
                Environment = [.. Inherited(), .. processor.Environment, $"STREAM_PROCESSOR_MEDIATYPE={mediaType}"],
                StandardInput = input,
                StandardOutput = SpawnStream.To(output.ClientSafePipeHandle),
                StandardError = SpawnStream.Pipe,
                Descriptors = given is null ? [] : [new InheritedDescriptor(PayloadDescriptor, given.ClientSafePipeHandle)],
            });
        }
        catch (LinuxException failure)
        {
            given?.Dispose();
            throw new RefusedException(failure.Error.ToError().While($"stream processor {processor.Name}"), failure);
        }

        _running.Add((processor, child, ReadAsync(child.StandardError!)));
        output.DisposeLocalCopyOfClientHandle();
        (Stream as AnonymousPipeServerStream)?.Dispose();
        if (given is not null)
        {
            given.DisposeLocalCopyOfClientHandle();
            _ = GiveAsync(given, Encode(payload!));
        }

        Stream = output;
    }

    private static IEnumerable<string> Inherited() => Environment.GetEnvironmentVariables()
        .Cast<System.Collections.DictionaryEntry>().Select(variable => $"{variable.Key}={variable.Value}");

    private static async Task GiveAsync(AnonymousPipeServerStream pipe, byte[] payload)
    {
        try
        {
            await pipe.WriteAsync(payload).ConfigureAwait(false);
        }
        catch (IOException)
        {
            // The program did not want it: what it makes of the layer is what counts.
        }
        finally
        {
            await pipe.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static async Task<string> ReadAsync(PipeEnd pipe)
    {
        using MemoryStream kept = new();
        byte[] buffer = new byte[1024];
        try
        {
            while (await pipe.ReadAsync(buffer).ConfigureAwait(false) is > 0 and var count)
            {
                kept.Write(buffer, 0, (int)Math.Min(count, ErrorOutputMax - kept.Length));
            }
        }
        catch (OperationCanceledException)
        {
            // Nobody wants to know any more.
        }

        return Encoding.UTF8.GetString(kept.ToArray());
    }

    // google.protobuf.Any: the name of the type is field 1, the bytes are field 2.
    private static byte[] Encode(AnyValue payload)
    {
        using MemoryStream bytes = new();
        Field(bytes, 1, Encoding.UTF8.GetBytes(payload.TypeUrl));
        Field(bytes, 2, payload.Value.Span);
        return bytes.ToArray();

        static void Field(MemoryStream target, int number, ReadOnlySpan<byte> value)
        {
            if (value.IsEmpty)
            {
                return;
            }

            target.WriteByte((byte)((number << 3) | 2));
            uint length = (uint)value.Length;
            for (; length > 0x7F; length >>= 7)
            {
                target.WriteByte((byte)(length | 0x80));
            }

            target.WriteByte((byte)length);
            target.Write(value);
        }
    }
}
