// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Shim.Sandboxes;
using Containerd.Actors.Ttrpc;

namespace Containerd.Actors.Shim.Tests.Sandboxes;

public sealed class SandboxRulesSpecs
{
    private const string Exists = "sandbox a already running: already exists";
    private const string Missing = "sandbox a: not found";
    private const string Runs = "sandbox a runs already: failed precondition";
    private const string Over = "sandbox a has ended: failed precondition";

    // By call: absent, created, ready, ended. Null is legal.
    private static readonly Dictionary<SandboxCall, string?[]> Table = new()
    {
        [SandboxCall.Create] = [null, Exists, Exists, Exists],
        [SandboxCall.Start] = [Missing, null, Runs, Over],
        [SandboxCall.Stop] = [Missing, null, null, null],
        [SandboxCall.Wait] = [Missing, null, null, null],
        [SandboxCall.Status] = [Missing, null, null, null],
        [SandboxCall.Metrics] = [Missing, null, null, null],
        [SandboxCall.Ping] = [Missing, null, null, null],
        [SandboxCall.Shutdown] = [null, null, null, null],
    };

    public static TheoryData<int, int> All
    {
        get
        {
            TheoryData<int, int> all = [];
            foreach (SandboxCall call in Enum.GetValues<SandboxCall>())
            {
                foreach (SandboxPhase phase in Enum.GetValues<SandboxPhase>())
                {
                    all.Add((int)call, (int)phase);
                }
            }

            return all;
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Each_call_is_legal_or_refused_in_each_phase(int call, int phase)
    {
        TtrpcStatusException? refusal = SandboxRules.Refusal((SandboxCall)call, (SandboxPhase)phase, "a");
        string? expected = Table[(SandboxCall)call][phase];
        Assert.Equal(expected, refusal?.Message);
        Assert.Equal(CodeOf(expected), refusal?.Code);
    }

    [Theory]
    [InlineData((int)SandboxPhase.Created, "SANDBOX_NOTREADY")]
    [InlineData((int)SandboxPhase.Ready, "SANDBOX_READY")]
    [InlineData((int)SandboxPhase.Ended, "SANDBOX_NOTREADY")]
    public void Only_one_that_runs_is_ready(int phase, string state) => Assert.Equal(state, SandboxRules.StateOf((SandboxPhase)phase));

    private static TtrpcCode? CodeOf(string? text) => text switch
    {
        null => null,
        Exists => TtrpcCode.AlreadyExists,
        Missing => TtrpcCode.NotFound,
        _ => TtrpcCode.FailedPrecondition,
    };
}
