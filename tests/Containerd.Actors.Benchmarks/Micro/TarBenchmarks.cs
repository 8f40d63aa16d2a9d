// SPDX-License-Identifier: Apache-2.0

using BenchmarkDotNet.Attributes;
using Containerd.Actors.Storage.Diff.Tar;

namespace Containerd.Actors.Benchmarks.Micro;

/// <summary>A layer of small files, as most are, read without writing anything.</summary>
[MemoryDiagnoser]
public class TarBenchmarks
{
    private const int Files = 1000;
    private const int FeedBytes = 256 << 10;
    private byte[] _archive = [];

    [Params(0, 4096)]
    public int FileBytes { get; set; }

    [GlobalSetup]
    public void Fill()
    {
        using MemoryStream archive = new();
        TarWriter writer = new(archive);
        byte[] content = new byte[FileBytes];
        for (int i = 0; i < Files; i++)
        {
            writer.WriteHeader(new TarEntry { Name = $"usr/share/doc/package-{i:D4}/copyright", Kind = TarKind.Regular, Size = FileBytes, Mode = 0x1A4 });
            writer.Write(content);
            writer.Pad(FileBytes);
        }

        writer.Finish();
        _archive = archive.ToArray();
    }

    [Benchmark(OperationsPerInvoke = Files)]
    public long Read_an_entry()
    {
        Counted counted = new();
        TarReader reader = new(counted, LayerLimits.Default);
        foreach (byte[] piece in _archive.Chunk(FeedBytes))
        {
            reader.Feed(piece);
        }

        reader.Complete();
        return counted.Bytes;
    }

    private sealed class Counted : ITarSink
    {
        public long Bytes { get; private set; }

        public void Begin(TarEntry entry)
        {
        }

        public void Content(long offset, ReadOnlySpan<byte> bytes) => Bytes += bytes.Length;

        public void End()
        {
        }
    }
}
