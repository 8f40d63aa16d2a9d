// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Pulls;
using Containerd.Actors.Oci.Images;
using CsCheck;

namespace Containerd.Actors.Core.Tests.Pulls;

public sealed class DownloadQueueSpecs
{
    private static readonly Digest A = Digest.Of("a"u8);
    private static readonly Digest B = Digest.Of("b"u8);

    [Fact]
    public void The_same_blob_is_fetched_by_one_at_a_time()
    {
        (DownloadQueue queue, ImmutableArray<string> turns) = new DownloadQueue(4).Ask("one", A);
        Assert.Equal(["one"], turns.ToArray());
        (queue, turns) = queue.Ask("two", A);
        Assert.Empty(turns);
        (_, turns) = queue.Leave("one");
        Assert.Equal(["two"], turns.ToArray());
    }

    [Fact]
    public void A_blob_that_must_wait_holds_up_no_other()
    {
        DownloadQueue queue = new DownloadQueue(2).Ask("one", A).Queue.Ask("two", A).Queue;
        Assert.Equal(["three"], queue.Ask("three", B).Turns.ToArray());
    }

    [Fact]
    public void No_more_than_the_bound_fetch_and_turns_go_by_arrival()
    {
        DownloadQueue queue = new DownloadQueue(1).Ask("one", A).Queue.Ask("two", B).Queue.Ask("three", A).Queue;
        (queue, ImmutableArray<string> turns) = queue.Leave("one");
        Assert.Equal(["two"], turns.ToArray());
        Assert.Equal(["three"], queue.Leave("two").Turns.ToArray());
    }

    [Fact]
    public void Asking_again_tells_a_turn_again_and_takes_no_second_place()
    {
        DownloadQueue queue = new DownloadQueue(1).Ask("one", A).Queue.Ask("two", B).Queue;
        Assert.Equal(["one"], queue.Ask("one", A).Turns.ToArray());
        Assert.Single(queue.Ask("two", B).Queue.Waiting);
    }

    [Fact]
    public void Whoever_leaves_while_waiting_never_gets_a_turn()
    {
        DownloadQueue queue = new DownloadQueue(1).Ask("one", A).Queue.Ask("two", A).Queue.Leave("two").Queue;
        Assert.Empty(queue.Leave("one").Turns);
    }

    [Fact]
    public void In_any_order_of_asking_and_leaving_everybody_gets_one_turn_and_the_bounds_hold() =>
        Gen.Select(Gen.Int[1, 4], Gen.Int[1, 3], Gen.Int[0, int.MaxValue - 1]).Sample((max, blobs, seed) =>
        {
            Random random = new(seed);
            DownloadQueue queue = new(max);
            Queue<string> coming = new(Enumerable.Range(0, 20).Select(i => $"{i}"));
            List<string> fetching = [];
            HashSet<string> served = [];
            while (coming.Count > 0 || fetching.Count > 0)
            {
                ImmutableArray<string> turns;
                if (coming.Count > 0 && (fetching.Count == 0 || random.Next(2) == 0))
                {
                    string next = coming.Dequeue();
                    (queue, turns) = queue.Ask(next, Digest.Of([(byte)random.Next(blobs)]));
                }
                else
                {
                    string done = fetching[random.Next(fetching.Count)];
                    fetching.Remove(done);
                    (queue, turns) = queue.Leave(done);
                }

                fetching.AddRange(turns);
                Assert.All(turns, turn => Assert.True(served.Add(turn)));
                Assert.True(fetching.Count <= max);
                Assert.Equal(fetching.Count, queue.Fetching.Values.Distinct().Count());
            }

            Assert.Equal(20, served.Count);
            Assert.Empty(queue.Waiting);
        }, iter: 500);
}
