// SPDX-License-Identifier: Apache-2.0

using BenchmarkDotNet.Attributes;
using Containerd.Actors.Ttrpc.Frames;

namespace Containerd.Actors.Benchmarks.Micro;

/// <summary>Frames as they lie between daemon and shim: small requests, many in one read.</summary>
[MemoryDiagnoser]
public class TtrpcBenchmarks
{
    private const int Frames = 64;
    private readonly FrameDecoder _decoder = new();
    private byte[] _received = [];

    [Params(100, 4096)]
    public int PayloadBytes { get; set; }

    [GlobalSetup]
    public void Fill()
    {
        int frame = FrameHeader.Size + PayloadBytes;
        _received = new byte[Frames * frame];
        for (int i = 0; i < Frames; i++)
        {
            Header(i).Write(_received.AsSpan(i * frame));
        }
    }

    [Benchmark(OperationsPerInvoke = Frames)]
    public int Decode_a_frame()
    {
        int read = 0;
        for (ReadOnlySpan<byte> rest = _received; rest.Length > 0;)
        {
            Memory<byte> free = _decoder.GetMemory();
            int count = Math.Min(free.Length, rest.Length);
            rest[..count].CopyTo(free.Span);
            _decoder.Advance(count);
            rest = rest[count..];
            while (_decoder.TryRead(out FrameHeader header, out ReadOnlyMemory<byte> data))
            {
                read += (int)header.StreamId + data.Length;
            }
        }

        return read;
    }

    [Benchmark(OperationsPerInvoke = Frames)]
    public void Encode_a_header()
    {
        for (int i = 0; i < Frames; i++)
        {
            Header(i).Write(_received.AsSpan(i * (FrameHeader.Size + PayloadBytes)));
        }
    }

    private FrameHeader Header(int i) => new((uint)PayloadBytes, (uint)((2 * i) + 1), FrameType.Request, FrameFlags.None);
}
