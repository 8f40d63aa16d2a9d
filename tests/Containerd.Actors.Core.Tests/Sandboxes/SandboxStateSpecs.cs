// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Core.Sandboxes;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Sandboxes;
using Containerd.Actors.Protocol.Values;

namespace Containerd.Actors.Core.Tests.Sandboxes;

public sealed class SandboxStateSpecs
{
    private const string Ns = "default";
    private static readonly DateTimeOffset Now = new(2030, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly SandboxRecord Good = new("pod")
    {
        RuntimeName = "io.containerd.test.v1", Labels = Labels.From([KeyValuePair.Create("a", "1"), KeyValuePair.Create("b", "")]),
    };

    private static readonly string[] Requests = ["create", "start", "platform", "stop", "wait", "status", "shutdown", "metrics", "update"];

    public static TheoryData<string, string, string> Legality()
    {
        const string Go = "go on";
        Dictionary<string, string[]> table = new()
        {
            //              create     start                                                      platform stop wait status shutdown metrics update
            ["absent"] = [Go, "failed to start sandbox \"pod\": unable to find sandbox \"pod\"", "sandbox pod: not found", Go, "sandbox pod: not found", Go, "sandbox pod: not found", "sandbox pod: not found", "sandbox pod: not found"],
            ["creating"] = [Exists, .. Enumerable.Repeat("sandbox pod is being created: unavailable", 8)],
            ["created"] = [Exists, Go, Go, Go, Go, Go, Go, Go, Go],
            ["starting"] = [Exists, "failed to start sandbox \"pod\": sandbox pod is being started: unavailable", Go, Go, Go, Go, Go, Go, Go],
            ["running"] = [Exists, "failed to start sandbox \"pod\": sandbox pod runs already: failed precondition", Go, Go, Go, Go, Go, Go, Go],
            ["exited"] = [Exists, "failed to start sandbox \"pod\": sandbox pod has ended: failed precondition", Go, Go, Go, Go, Go, Go, Go],
            ["shutting down"] = [Exists, "failed to start sandbox \"pod\": sandbox pod has ended: failed precondition", Leaving, Go, Leaving, Go, Go, Leaving, Leaving],
        };
        TheoryData<string, string, string> data = [];
        foreach ((string phase, string[] answers) in table)
        {
            Assert.Equal(Requests.Length, answers.Length);
            for (int i = 0; i < answers.Length; i++)
            {
                data.Add(phase, Requests[i], answers[i]);
            }
        }

        return data;
    }

    private const string Exists = "sandbox pod already running: already exists";
    private const string Leaving = "sandbox pod is being shut down: unavailable";

    [Theory]
    [MemberData(nameof(Legality))]
    public void What_may_be_asked_of_a_controller_follows_from_the_phase(string phase, string request, string answer) =>
        Assert.Equal(answer, In(phase).Decide(Request(request)).Refusal?.Text ?? "go on");

    [Fact]
    public void The_table_has_a_row_for_every_phase() =>
        Assert.Equal(Enum.GetValues<SandboxPhase>(), Legality().Select(row => In((string)row[0]).Phase).Distinct());

    [Fact]
    public void A_sandbox_of_another_controller_is_not_there() => Assert.Equal(
        "sandbox pod: not found", In("running").Decide(new SandboxControl.Platform(Ns, "pod", "podsandbox", Caller.Kernel)).Refusal!.Text);

    [Fact]
    public void An_id_that_is_none_is_refused_by_both_halves()
    {
        const string Rule = "identifier \"no id!\" must match ^[A-Za-z0-9]+(?:[._-](?:[A-Za-z0-9]+))*$: invalid argument";
        SandboxState state = new(Ns, "no id!");
        Assert.Equal(
            "failed to validate sandbox: invalid sandbox ID: " + Rule,
            Text(state.Decide(new SandboxCommands.Create(Ns, new SandboxRecord("no id!"), Caller.Kernel), Now).Reply));
        Assert.Equal(
            "invalid sandbox ID: " + Rule, state.Decide(new SandboxControl.Create(Ns, "no id!", "shim", Caller.Kernel)).Refusal!.Text);
    }

    [Fact]
    public void A_record_is_stored_with_the_daemons_times_and_without_empty_labels()
    {
        SandboxRecord record = Recorded().Record!;
        Assert.Equal((Now, Now), (record.CreatedAt, record.UpdatedAt));
        Assert.Equal(["a"], record.Labels.Keys);
    }

    [Fact]
    public void Records_that_are_there_or_not_are_refused_in_containerds_words()
    {
        SandboxState none = new(Ns, "pod");
        Assert.Equal(
            "write error: sandbox bucket \"pod\" already exists: already exists",
            Text(Recorded().Decide(new SandboxCommands.Create(Ns, Good, Caller.Kernel), Now).Reply));
        Assert.Equal("bucket \"pod\" not found: not found", Text(none.Decide(Update([]), Now).Reply));
        Assert.Equal("failed to delete sandbox \"pod\": not found", Text(none.Decide(new SandboxCommands.Delete(Ns, "pod", Caller.Kernel)).Reply));
    }

    [Theory]
    [InlineData("labels", "a=,c=3", "old", "x")]
    [InlineData("labels.c", "a=1,c=3", "old", "x")]
    [InlineData("labels.gone", "a=1", "old", "x")]
    [InlineData("runtime", "a=1", "new", "x")]
    [InlineData("extensions.y", "a=1", "old", "x,y")]
    [InlineData("extensions", "a=1", "old", "x,y")]
    public void A_mask_says_what_is_taken_over(string path, string labels, string runtime, string extensions)
    {
        SandboxRecord stored = new("pod") { Labels = Parse("a=1"), RuntimeName = "old", Extensions = Extensions("x") };
        SandboxRecord wanted = new("pod") { Labels = Parse("c=3"), RuntimeName = "new", Extensions = Extensions("y") };
        SandboxRecord updated = Assert.IsType<Done<SandboxRecord>>(SandboxMask.Apply(stored, wanted, [path])).Result;
        Assert.Equal(Parse(labels), updated.Labels);
        Assert.Equal((runtime, extensions), (updated.RuntimeName, string.Join(',', updated.Extensions.Keys)));
    }

    [Fact]
    public void Without_a_mask_the_runtime_may_not_change_and_an_unknown_path_is_refused()
    {
        SandboxRecord other = Good with { RuntimeName = "other" };
        Assert.Equal("sandbox.Runtime.Name field is immutable: invalid argument", Text(Recorded().Decide(Update([], other), Now).Reply));
        Assert.Equal(
            "cannot update \"image\" field on sandbox \"pod\": invalid argument", Text(Recorded().Decide(Update(["image"]), Now).Reply));
    }

    [Fact]
    public void The_entity_ends_with_the_second_of_its_halves_whichever_it_is()
    {
        DomainEvent recordFirst = Recorded(In("exited")).Decide(new SandboxCommands.Delete(Ns, "pod", Caller.Kernel)).Events.Single();
        Assert.False(recordFirst.EndsEntity);
        Assert.False(Recorded(In("shutting down")).AfterShutdown(Now)[^1].EndsEntity);
        Assert.True(Recorded().Decide(new SandboxCommands.Delete(Ns, "pod", Caller.Kernel)).Events.Single().EndsEntity);
        Assert.True(In("shutting down").AfterShutdown(Now)[^1].EndsEntity);
        Assert.True(In("running").AfterLoss("died", new SandboxExit(255, Now))[^1].EndsEntity);
        Assert.True(In("creating").AfterFailure(Error.Unknown("no")).Single().EndsEntity);
    }

    [Fact]
    public void An_end_is_recorded_once()
    {
        SandboxExit exit = new(3, Now);
        SandboxState ended = In("running").AfterExit(exit).Aggregate(In("running"), (state, e) => state.Apply(e));
        Assert.Equal((SandboxPhase.Exited, exit), (ended.Phase, ended.Exit));
        Assert.Empty(ended.AfterExit(exit));
        Assert.IsType<SandboxEvents.Lost>(Assert.Single(ended.AfterLoss("died", exit)));
        Assert.Empty(In("created").AfterExit(exit));
    }

    [Fact]
    public void What_ran_and_is_lost_ended()
    {
        ImmutableArray<DomainEvent> events = In("running").AfterLoss("died", new SandboxExit(137, Now));
        Assert.Equal<DomainEvent>([new SandboxEvents.Exited(137, Now), new SandboxEvents.Lost("died", true)], events);
        Assert.Single(In("created").AfterLoss("died", new SandboxExit(137, Now)));
        Assert.Empty(In("absent").AfterLoss("died", new SandboxExit(137, Now)));
    }

    private static SandboxState In(string phase)
    {
        DomainEvent[] life =
        [
            new SandboxEvents.RunRequested("shim", "io.containerd.test.v1", ""), new SandboxEvents.RunCreated("ttrpc+unix:///s", 3),
            new SandboxEvents.StartRequested(), new SandboxEvents.Started(7, Now), new SandboxEvents.Exited(0, Now), new SandboxEvents.ShutdownRequested(),
        ];
        int events = Array.IndexOf(["absent", "creating", "created", "starting", "running", "exited", "shutting down"], phase);
        return life.Take(events).Aggregate(new SandboxState(Ns, "pod"), (state, e) => state.Apply(e));
    }

    private static SandboxState Recorded(SandboxState? state = null)
    {
        state ??= new SandboxState(Ns, "pod");
        return state.Decide(new SandboxCommands.Create(Ns, Good, Caller.Kernel), Now).Events.Aggregate(state, (next, e) => next.Apply(e));
    }

    private static SandboxCommands.Update Update(ImmutableArray<string> mask, SandboxRecord? record = null) => new(Ns, record ?? Good, mask, Caller.Kernel);

    private static IForSandboxer Request(string name) => name switch
    {
        "create" => new SandboxControl.Create(Ns, "pod", "shim", Caller.Kernel),
        "start" => new SandboxControl.Start(Ns, "pod", "shim", Caller.Kernel),
        "platform" => new SandboxControl.Platform(Ns, "pod", "shim", Caller.Kernel),
        "stop" => new SandboxControl.Stop(Ns, "pod", "shim", 1, Caller.Kernel),
        "wait" => new SandboxControl.Wait(Ns, "pod", "shim", Caller.Kernel),
        "status" => new SandboxControl.Status(Ns, "pod", "shim", false, Caller.Kernel),
        "shutdown" => new SandboxControl.Shutdown(Ns, "pod", "shim", Caller.Kernel),
        "metrics" => new SandboxControl.Metrics(Ns, "pod", "shim", Caller.Kernel),
        _ => new SandboxControl.Update(Ns, "pod", "shim", Good, [], Caller.Kernel),
    };

    private static string Text<T>(Reply<T> reply) => Assert.IsType<Refused<T>>(reply).Error.Text;

    private static ImmutableSortedDictionary<string, string> Parse(string labels) => Labels.From(labels.Split(',')
        .Select(pair => pair.Split('=')).Where(pair => pair[1].Length > 0).Select(pair => KeyValuePair.Create(pair[0], pair[1])));

    private static ImmutableSortedDictionary<string, AnyValue> Extensions(string name) =>
        ImmutableSortedDictionary.Create<string, AnyValue>(StringComparer.Ordinal).Add(name, new AnyValue("t", new byte[] { 1 }));
}
