// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Tasks;
using Containerd.Actors.Protocol.Tasks;
using Containerd.Actors.Protocol.Values;

namespace Containerd.Actors.Core.Tests.Tasks;

/// <summary>The legality table over its full cross product: what is asked of the shim, or the refusal.</summary>
public class TaskLegalitySpecs
{
    private const string Gone = "task redis not found";
    private const string Finished = "process already finished: not found";

    // Columns: absent, creating, created, starting, running, paused, stopped, deleting. "ask": the shim is asked.
    private static readonly Dictionary<string, string[]> Table = new()
    {
        ["Start"] =
        [
            Gone, Gone, "ask", "task redis is being started: unavailable", "cannot start a running process", "cannot start a paused process",
            "cannot start a stopped process", "cannot start a deleted process",
        ],
        ["Delete"] =
        [
            Gone, Gone, "ask", "cannot delete a running process", "cannot delete a running process", "cannot delete a paused process", "ask",
            "ask",
        ],
        ["Exec"] =
        [
            Gone, Gone, "ask", "ask", "ask", "cannot exec in a paused state", "cannot exec in a stopped state",
            "cannot exec in a deleted state",
        ],
        ["Kill"] = [Gone, Gone, "ask", "ask", "ask", "ask", Finished, Finished],
        ["Pause"] =
        [
            Gone, Gone, "cannot pause task in created state", "cannot pause task in created state", "ask", "cannot pause a paused container",
            "cannot pause a stopped container", "cannot pause a deleted container",
        ],
        ["Resume"] =
        [
            Gone, Gone, "cannot resume task in created state", "cannot resume task in created state", "cannot resume a running process", "ask",
            "cannot resume a stopped container", "cannot resume a deleted container",
        ],
        ["Update"] =
        [
            Gone, Gone, "ask", "ask", "ask", "ask", "cannot update a stopped container", "cannot update a deleted container",
        ],
        ["Checkpoint"] =
        [
            Gone, Gone, "cannot checkpoint task in created state", "cannot checkpoint task in created state", "ask", "ask",
            "cannot checkpoint a stopped container", "cannot checkpoint a deleted container",
        ],
        ["ResizePty"] =
        [
            Gone, Gone, "ask", "ask", "ask", "ask", "cannot resize a stopped container", "cannot resize a deleted container",
        ],
        ["CloseIO"] = [Gone, Gone, "ask", "ask", "ask", "ask", "ask", "ask"],
        ["DeleteProcess"] = [Gone, Gone, .. Enumerable.Repeat("process does not exist e1: not found", 6)],
    };

    // Columns: added, starting, running, failed, stopped.
    private static readonly Dictionary<string, string[]> ExecTable = new()
    {
        ["Start"] =
        [
            "ask", "process e1 is being started: unavailable", "cannot start a running process", "ask", "cannot start a stopped process",
        ],
        ["DeleteProcess"] = ["ask", "cannot delete a running process", "cannot delete a running process", "ask", "ask"],
        ["Exec"] = [.. Enumerable.Repeat("id e1: already exists", 5)],
        ["Kill"] =
        [
            "process not created: failed precondition", "ask", "ask", "process not created: failed precondition", Finished,
        ],
        ["ResizePty"] = [.. Enumerable.Repeat("ask", 5)],
        ["CloseIO"] = [.. Enumerable.Repeat("ask", 5)],
    };

    public static TheoryData<TaskPhase, string, string> Cells()
    {
        TheoryData<TaskPhase, string, string> cells = [];
        foreach ((string command, string[] columns) in Table)
        {
            foreach (TaskPhase phase in Enum.GetValues<TaskPhase>())
            {
                cells.Add(phase, command, columns[(int)phase]);
            }
        }

        return cells;
    }

    public static TheoryData<ExecPhase, string, string> ExecCells()
    {
        TheoryData<ExecPhase, string, string> cells = [];
        foreach ((string command, string[] columns) in ExecTable)
        {
            foreach (ExecPhase phase in Enum.GetValues<ExecPhase>())
            {
                cells.Add(phase, command, columns[(int)phase]);
            }
        }

        return cells;
    }

    [Theory]
    [MemberData(nameof(Cells))]
    public void A_request_for_the_task_is_asked_of_the_shim_or_refused_with_the_known_text(TaskPhase phase, string command, string expected)
    {
        string execId = command is "Exec" or "DeleteProcess" ? Histories.Exec : "";
        Check(Histories.In(phase).Decide(Histories.Command(command, execId)), command, expected);
    }

    [Theory]
    [MemberData(nameof(ExecCells))]
    public void A_request_for_a_further_process_is_asked_of_the_shim_or_refused_with_the_known_text(
        ExecPhase phase, string command, string expected) =>
        Check(Histories.WithExec(phase).Decide(Histories.Command(command, Histories.Exec)), command, expected);

    [Fact]
    public void Every_request_that_changes_a_task_has_a_row() => Assert.Equal(
        typeof(TaskCommands).GetNestedTypes().Select(type => type.Name).Where(name => name != "Create").Order(), Table.Keys.Order());

    [Theory]
    [InlineData(TaskPhase.Absent, true)]
    [InlineData(TaskPhase.Creating, false)]
    [InlineData(TaskPhase.Created, false)]
    [InlineData(TaskPhase.Starting, false)]
    [InlineData(TaskPhase.Running, false)]
    [InlineData(TaskPhase.Paused, false)]
    [InlineData(TaskPhase.Stopped, false)]
    [InlineData(TaskPhase.Deleting, false)]
    public void A_task_is_created_only_where_there_is_none(TaskPhase phase, bool isLegal)
    {
        TaskStep step = Histories.In(phase).Decide(Histories.Creation());
        Check(step, "Create", isLegal ? "ask" : "task redis: already exists");
        Assert.Equal(isLegal, step.Events.Length == 1);
    }

    [Fact]
    public void Options_of_another_type_are_refused()
    {
        TaskStep step = Histories.In(TaskPhase.Absent).Decide(Histories.Creation(new AnyValue("some.Options", new byte[] { 1 })));
        Check(step, "Create", "invalid task create option for io.containerd.runc.v2");
    }

    [Fact]
    public void Options_without_a_value_fall_back_to_the_containers_own() =>
        Check(Histories.In(TaskPhase.Absent).Decide(Histories.Creation(new AnyValue("some.Options", default))), "Create", "ask");

    [Fact]
    public void An_exec_needs_an_id() => Check(
        Histories.In(TaskPhase.Running).Decide(Histories.Command("Exec")), "Exec", "exec id cannot be empty: invalid argument");

    [Fact]
    public void An_exec_does_not_start_after_the_first_process_ended() => Check(
        Histories.WithExec(ExecPhase.Added, TaskPhase.Stopped).Decide(Histories.Command("Start", Histories.Exec)),
        "Start",
        "container redis init process is not running: failed precondition");

    private static void Check(TaskStep step, string command, string expected)
    {
        if (expected == "ask")
        {
            Assert.Equal(command, step.Request?.Name);
            Assert.Null(step.Answer);
        }
        else
        {
            Assert.Equal(expected, Assert.IsType<TaskAnswer.Refusal>(step.Answer).Error.Text);
            Assert.Empty(step.Events);
            Assert.Null(step.Request);
        }
    }
}
