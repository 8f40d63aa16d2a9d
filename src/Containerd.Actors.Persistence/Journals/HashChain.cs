// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Containerd.Actors.Persistence.Journals;

/// <summary>The hash that chains every record to all before it. The README of this project defines it; changing it is a migration.</summary>
/// <remarks>Not safe for threads: one instance per writer or verification.</remarks>
internal sealed class HashChain : IDisposable
{
    /// <summary>The hash before the first record.</summary>
    public static byte[] Origin => new byte[SHA256.HashSizeInBytes];

    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private byte[] _text = new byte[256];

    /// <summary>The hash of a row at a cursor behind a record with the hash <paramref name="previous"/>.</summary>
    public byte[] Next(byte[] previous, ulong cursor, JournalRow row)
    {
        Bytes(previous);
        Number((long)cursor);
        Text(row.Entity);
        Number(row.Sequence);
        Text(row.Manifest);
        Number(row.At);
        Text(row.Namespace);
        Text(row.Principal is { } principal ? PrincipalColumns.Kind(principal.Kind) : "");
        Number(row.Principal?.Uid ?? 0);
        Number(row.Principal?.Gid ?? 0);
        Number(row.Principal?.Pid ?? 0);
        Text(row.Principal?.Executable ?? "");
        Text(row.Principal?.Name ?? "");
        Text(row.Operation);
        Text(row.Trace);
        Text(row.Lease);
        Number(row.Serializer ?? -1);
        Text(row.Writer);
        Bytes(row.Payload);
        return _hash.GetHashAndReset();
    }

    public void Dispose() => _hash.Dispose();

    private void Number(long value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(bytes, value);
        _hash.AppendData(bytes);
    }

    private void Text(string value)
    {
        int needed = Encoding.UTF8.GetMaxByteCount(value.Length);
        if (_text.Length < needed)
        {
            _text = new byte[needed];
        }

        Bytes(_text.AsSpan(0, Encoding.UTF8.GetBytes(value, _text)));
    }

    private void Bytes(ReadOnlySpan<byte> value)
    {
        Number(value.Length);
        _hash.AppendData(value);
    }
}
