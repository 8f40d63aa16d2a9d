// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Audit;
using Containerd.Actors.Persistence.Journals;

namespace Containerd.Actors.Persistence.Tests.Journals;

public sealed class ChainVerificationSpecs : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [InlineData("update events set payload = x'00' where cursor = 4", 4, "edited")]
    [InlineData("update events set uid = 0 where cursor = 4", 4, "edited")]
    [InlineData("update events set at = at + 1 where cursor = 4", 4, "edited")]
    [InlineData("update events set namespace = 'other' where cursor = 4", 4, "edited")]
    [InlineData("update events set lease = '' where cursor = 4", 4, "edited")]
    [InlineData("update events set principal = 'god' where cursor = 4", 4, "edited")]
    [InlineData("update events set at = 'noon' where cursor = 4", 4, "edited")]
    [InlineData("delete from events where cursor = 4", 4, "removed")]
    [InlineData("delete from events where cursor between 4 and 7", 4, "removed")]
    [InlineData("delete from events where cursor = 1", 1, "removed")]
    [InlineData("delete from events where cursor >= 9", 9, "removed")]
    [InlineData("delete from events", 1, "removed")]
    [InlineData("update head set hash = zeroblob(32)", 10, "edited")]
    [InlineData("insert into removed select cursor, entity, sequence, hash from events where cursor = 4; delete from events where cursor = 4", 4, "removed")]
    public async Task Tampering_is_found_by_cursor(string sql, ulong cursor, string reason)
    {
        using JournalStore store = await Ten();
        _scratch.Tamper(sql);

        JournalVerification verification = await store.Verify(CancellationToken.None);

        Assert.Equal([new JournalDamage(cursor, reason)], verification.Damages.ToArray());
    }

    [Fact]
    public async Task Exchanged_records_are_reordered()
    {
        using JournalStore store = await Ten();
        _scratch.Tamper("update events set cursor = -1 where cursor = 4; update events set cursor = 4 where cursor = 6; update events set cursor = 6 where cursor = -1");

        JournalVerification verification = await store.Verify(CancellationToken.None);

        Assert.Equal([new JournalDamage(4, "reordered"), new JournalDamage(6, "reordered")], verification.Damages.ToArray());
    }

    [Fact]
    public async Task A_record_put_back_with_its_own_new_hash_breaks_the_chain_behind_it()
    {
        using JournalStore store = await Ten();
        JournalRow forged = Scratch.Row("task/default/a", 4, new Containerd.Actors.Core.Tasks.TaskEvents.Paused());
        using HashChain chain = new();
        byte[] previous = (await Scratch.ReadAll(store))[2].Hash.ToArray();
        string hash = Convert.ToHexString(chain.Next(previous, 4, forged));
        _scratch.Tamper($"update events set manifest = 'task.paused:1', payload = x'', hash = x'{hash}' where cursor = 4");

        Assert.Equal([new JournalDamage(5, "edited")], (await store.Verify(CancellationToken.None)).Damages.ToArray());
    }

    [Fact]
    public async Task Records_removed_on_request_leave_a_chain_that_holds()
    {
        using JournalStore store = await Ten();
        await store.Append([Scratch.Row("task/default/b", 1)]);
        await store.Remove("task/default/b", 1);
        await store.Remove("task/default/a", 10);

        JournalVerification verification = await store.Verify(CancellationToken.None);

        Assert.Empty(verification.Damages.ToArray());
        Assert.Equal((2UL, 13UL), (verification.Records, verification.LastCursor));
    }

    [Fact]
    public async Task New_records_go_behind_removed_ones_so_that_the_hole_stays_visible()
    {
        (await Ten()).Dispose();
        _scratch.Tamper("delete from events where cursor >= 9");
        using JournalStore store = _scratch.Open();
        await store.Append([Scratch.Row("task/default/a", 11)]);

        Assert.Equal([new JournalDamage(9, "removed")], (await store.Verify(CancellationToken.None)).Damages.ToArray());
    }

    private async Task<JournalStore> Ten()
    {
        JournalStore store = _scratch.Open();
        for (int i = 1; i <= 10; i++)
        {
            await store.Append([Scratch.Row("task/default/a", i)]);
        }

        return store;
    }
}
