// SPDX-License-Identifier: Apache-2.0

using System.Runtime.CompilerServices;
using Containerd.Actors.Core.Content;

namespace Containerd.Actors.Core.Tests.Content;

public sealed class ContentBuffersSpecs
{
    private const int Length = 1 << 20;

    [Fact]
    public void What_is_let_go_is_collected_and_what_is_in_use_stays_whole()
    {
        byte[] used = ContentBuffers.Rent(Length);
        used.AsSpan().Fill(7);
        WeakReference idle = RentAndReturn();
        ContentBuffers.LetGo();
        GC.Collect();
        Assert.False(idle.IsAlive);
        byte[] other = ContentBuffers.Rent(Length);
        Assert.NotSame(used, other);
        Assert.False(used.AsSpan().ContainsAnyExcept((byte)7));
        ContentBuffers.Return(used);
        ContentBuffers.Return(other);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(Length + 1)]
    [InlineData(16 * Length)]
    public void A_buffer_has_at_least_the_length_that_was_asked_for(int length)
    {
        byte[] buffer = ContentBuffers.Rent(length);
        Assert.True(buffer.Length >= length);
        ContentBuffers.Return(buffer);
    }

    // Apart, so that no reference is left on the stack of whoever collects.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference RentAndReturn()
    {
        byte[] buffer = ContentBuffers.Rent(Length);
        ContentBuffers.Return(buffer);
        return new WeakReference(buffer);
    }
}
