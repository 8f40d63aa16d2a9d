// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Core.Runs;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Oci.Runtime;
using Containerd.Actors.Protocol.Containers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Runs;
using Containerd.Actors.Protocol.Tasks;
using Containerd.Actors.Protocol.Values;

namespace Containerd.Actors.Core.Tests.Runs;

public sealed class RunPlanSpecs
{
    private static readonly RunWish Wish = new("c", "busybox") { Snapshotter = "overlayfs", RuntimeName = "runtime" };
    private static readonly ContainerConfig Image = new() { Cmd = ["sh"], StopSignal = "SIGINT", User = "web" };

    public static TheoryData<RunStep, ErrorKind?, string> Failures
    {
        get
        {
            TheoryData<RunStep, ErrorKind?, string> rows = [];
            ErrorKind?[] kinds = [null, .. Enum.GetValues<ErrorKind>()];
            ErrorKind?[] unanswered = [ErrorKind.Unavailable, ErrorKind.DeadlineExceeded, ErrorKind.Internal, ErrorKind.Unknown];
            foreach (ErrorKind? kind in kinds)
            {
                rows.Add(RunStep.Image, kind, "");
                rows.Add(RunStep.Snapshot, kind, "");
                rows.Add(RunStep.Container, kind, unanswered.Contains(kind) ? "Container, Snapshot" : "Snapshot");
                rows.Add(RunStep.Task, kind, "Task, Container, Snapshot");
                rows.Add(RunStep.Start, kind, "Task, Container, Snapshot");
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Failures))]
    public void What_was_made_is_taken_back_and_what_was_refused_was_not_made(RunStep step, ErrorKind? kind, string remains) =>
        Assert.Equal(remains, string.Join(", ", RunPlan.Remains(step, kind is { } known ? new Error(known, "x") : null)));

    [Fact]
    public void A_container_is_what_was_wanted_over_what_its_image_says()
    {
        RunWish wish = Wish with
        {
            Labels = Labels.None.Add(InheritedLabels.StopSignal, "SIGTERM").Add("mine", "1"),
            Spec = new RuntimeSpecOptions { Args = ["ls"] },
            Stdio = new ProcessStdio("", "/out", "", true),
        };
        ContainerRecord record = RunPlan.Container("ns", wish, "busybox:latest", Image, new UserSpec(33, 44));
        Assert.Equal(("busybox:latest", "overlayfs", "c"), (record.Image, record.Snapshotter, record.SnapshotKey));
        Assert.Equal(["SIGTERM", "1"], record.Labels.Values);
        ProcessSpec process = ProcessSpec.FromSpecJson(record.Spec!.Value.Span)!;
        Assert.Equal((33u, "ls", true), (process.User.Uid, process.Args.Single(), process.Terminal));
        Assert.Contains("/ns/c", Encoding.UTF8.GetString(record.Spec.Value.Span), StringComparison.Ordinal);
    }

    [Fact]
    public void Only_what_is_to_be_removed_says_so_and_nobody_can_say_it_by_a_label()
    {
        RunWish labelled = Wish with { Labels = Labels.None.Add(RunLabels.AutoRemove, "true") };
        UserSpec web = new(33, 44);
        Assert.False(RunLabels.Removes(RunPlan.Container("ns", labelled, "b", Image, web).Labels));
        Assert.True(RunLabels.Removes(RunPlan.Container("ns", Wish with { Removes = true }, "b", Image, web).Labels));
    }

    [Theory]
    [InlineData(null, "web")]
    [InlineData("", null)]
    [InlineData("root", null)]
    [InlineData("5:6", null)]
    [InlineData("5:staff", "5:staff")]
    public void Files_are_looked_into_only_for_a_user_with_a_name(string? wanted, string? name) =>
        Assert.Equal(name, RunPlan.UserName(Wish with { Spec = new RuntimeSpecOptions { User = wanted } }, Image));

    [Fact]
    public void Without_a_command_there_is_nothing_to_run() => Assert.Equal(
        "container \"c\": no arguments specified: invalid argument",
        Assert.Throws<RefusedException>(() => RunPlan.Container("ns", Wish, "b", new ContainerConfig(), null)).Error.Text);

    [Fact]
    public void The_mounts_of_the_snapshot_are_those_of_the_root() => Assert.Equal(
        ("overlay", "overlay", "rw"),
        RunPlan.Rootfs([new Mount("overlay", "overlay", "", ["rw"])]).Select(mount => (mount.Type, mount.Source, mount.Options.Single())).Single());
}
