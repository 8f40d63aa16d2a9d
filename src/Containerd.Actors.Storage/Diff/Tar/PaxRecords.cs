// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Linux.Files;

namespace Containerd.Actors.Storage.Diff.Tar;

/// <summary>Extended headers of one entry (POSIX.1-2001 pax, type <c>x</c>), with GNU's words for sparse files.</summary>
internal sealed class PaxRecords
{
    private const string AttributePrefix = "SCHILY.xattr.";

    public Dictionary<string, string> Values { get; } = new(StringComparer.Ordinal);

    public List<KeyValuePair<string, byte[]>> Attributes { get; } = [];

    /// <summary>GNU sparse format 0.0: offsets and lengths as repeated records, in order.</summary>
    public List<long> SparseNumbers { get; } = [];

    /// <summary>Takes in the records of a header: <c>length key=value newline</c>, where length counts the whole record.</summary>
    public void Read(ReadOnlySpan<byte> bytes, LayerLimits limits)
    {
        while (bytes.Length > 0)
        {
            int blank = bytes.IndexOf((byte)' ');
            if (blank is < 1 or > 9)
            {
                throw LayerLimits.Malformed("extended header has no length");
            }

            long length = TarNumbers.Decimal(FileNames.Decode(bytes[..blank]), "length of an extended header");
            if (length < blank + 3 || length > bytes.Length || bytes[(int)length - 1] != (byte)'\n')
            {
                throw LayerLimits.Malformed("extended header has a wrong length");
            }

            ReadOnlySpan<byte> record = bytes[(blank + 1)..((int)length - 1)];
            int equals = record.IndexOf((byte)'=');
            if (equals < 1)
            {
                throw LayerLimits.Malformed("extended header has no key");
            }

            Add(FileNames.Decode(record[..equals]), record[(equals + 1)..], limits);
            bytes = bytes[(int)length..];
        }
    }

    private void Add(string key, ReadOnlySpan<byte> value, LayerLimits limits)
    {
        if (key.StartsWith(AttributePrefix, StringComparison.Ordinal))
        {
            string name = key[AttributePrefix.Length..];
            Attributes.RemoveAll(pair => pair.Key == name);
            if (value.Length > 0)
            {
                Attributes.Add(new(name, value.ToArray()));
            }

            return;
        }

        if (key is "path" or "linkpath" or "GNU.sparse.name" && value.Contains((byte)0))
        {
            throw LayerLimits.Malformed($"{key} contains a NUL byte");
        }

        string text = FileNames.Decode(value);
        if (key is "GNU.sparse.offset" or "GNU.sparse.numbytes")
        {
            if (key == "GNU.sparse.offset" != (SparseNumbers.Count % 2 == 0))
            {
                throw LayerLimits.Malformed("sparse ranges are out of order");
            }

            SparseNumbers.Add(TarNumbers.Decimal(text, key));
            if (SparseNumbers.Count > 2 * limits.MaxSparseRanges)
            {
                throw LayerLimits.Exceeded(nameof(LayerLimits.MaxSparseRanges), limits.MaxSparseRanges);
            }
        }

        // An empty value takes a record back.
        if (text.Length == 0)
        {
            Values.Remove(key);
        }
        else
        {
            Values[key] = text;
        }
    }
}
