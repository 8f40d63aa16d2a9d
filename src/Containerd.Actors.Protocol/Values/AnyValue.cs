// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Protocol.Values;

/// <summary>A value of a type known by name only; stored and forwarded byte for byte.</summary>
/// <param name="TypeUrl">The name as it came, usually bare (<c>containerd.runc.v1.Options</c>).</param>
/// <param name="Value">The encoded value; must not be changed after construction.</param>
public sealed record AnyValue(string TypeUrl, ReadOnlyMemory<byte> Value)
{
    /// <summary>Equal when name and bytes are.</summary>
    public bool Equals(AnyValue? other) =>
        other is not null && TypeUrl == other.TypeUrl && Value.Span.SequenceEqual(other.Value.Span);

    /// <inheritdoc />
    public override int GetHashCode()
    {
        HashCode hash = default;
        hash.Add(TypeUrl);
        hash.AddBytes(Value.Span);
        return hash.ToHashCode();
    }
}
