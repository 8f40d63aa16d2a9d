// SPDX-License-Identifier: Apache-2.0

using BenchmarkDotNet.Attributes;
using Containerd.Actors.Benchmarks.Images;
using Containerd.Actors.Storage.Diff;

namespace Containerd.Actors.Benchmarks.Micro;

/// <summary>Programs of this platform, compressed as layers are, read in the pieces that extraction takes. A library that is missing is an error.</summary>
[MemoryDiagnoser]
public class DecompressionBenchmarks
{
    private const int PlainBytes = 32 << 20;
    private readonly byte[] _piece = new byte[256 << 10];
    private byte[] _compressed = [];

    [Params(LayerCompression.Gzip, LayerCompression.Zstandard)]
    public LayerCompression Compression { get; set; }

    [GlobalSetup]
    public void Fill()
    {
        using MemoryStream target = new();
        using (Stream compressing = (Compression == LayerCompression.Gzip ? Images.Compression.Gzip : Images.Compression.Zstd).Over(target))
        {
            IEnumerable<byte[]> programs = Directory.EnumerateFiles(AppContext.BaseDirectory, "*.dll").Order(StringComparer.Ordinal).Select(File.ReadAllBytes);
            byte[][] files = [.. programs];
            for (int i = 0, written = 0; written < PlainBytes; i++)
            {
                byte[] file = files[i % files.Length];
                int count = Math.Min(file.Length, PlainBytes - written);
                compressing.Write(file, 0, count);
                written += count;
            }
        }

        _compressed = target.ToArray();
    }

    [Benchmark(Baseline = true)]
    public long Managed() => Read(LayerCompressions.DecompressManaged(new MemoryStream(_compressed), Compression));

    [Benchmark]
    public long By_a_library_of_the_host() => Read(
        LayerCompressions.TryDecompressByHost(new MemoryStream(_compressed), Compression, out string reason) ?? throw new NotSupportedException(reason));

    private long Read(Stream plain)
    {
        using (plain)
        {
            long size = 0;
            for (int count; (count = plain.ReadAtLeast(_piece, _piece.Length, throwOnEndOfStream: false)) > 0;)
            {
                size += count;
            }

            return size == PlainBytes ? size : throw new InvalidDataException($"{size} bytes");
        }
    }
}
