// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Restarts;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Tasks;
using Containerd.Actors.Protocol.Values;

namespace Containerd.Actors.Core.Tests.Restarts;

public sealed class RestartDecisionSpecs
{
    [Theory]
    [InlineData("running", "none", "start")]
    [InlineData("running", "created", "leave")]
    [InlineData("running", "created before", "start")]
    [InlineData("running", "running", "leave")]
    [InlineData("running", "paused", "leave")]
    [InlineData("running", "pausing", "leave")]
    [InlineData("running", "stopped", "start")]
    [InlineData("stopped", "none", "leave")]
    [InlineData("stopped", "created", "stop")]
    [InlineData("stopped", "created before", "stop")]
    [InlineData("stopped", "running", "stop")]
    [InlineData("stopped", "paused", "stop")]
    [InlineData("stopped", "pausing", "stop")]
    [InlineData("stopped", "stopped", "leave")]
    [InlineData("", "none", "leave")]
    [InlineData("", "stopped", "leave")]
    [InlineData("paused", "running", "leave")]
    public void What_is_done_follows_from_what_is_wanted_and_what_the_task_is(string wanted, string task, string done)
    {
        RestartDecision decision = RestartDecision.Of(Of((RestartLabels.Status, wanted)), Task(task), task == "created before");
        Assert.Equal(done, decision.GetType().Name.ToLowerInvariant());
    }

    [Theory]
    [InlineData("", 0, "", true)]
    [InlineData("always", 0, "", true)]
    [InlineData("always", 1, "7", true)]
    [InlineData("no", 1, "", false)]
    [InlineData("on-failure", 0, "", false)]
    [InlineData("on-failure", 1, "", true)]
    [InlineData("on-failure", 1, "1000", true)]
    [InlineData("on-failure", 137, "nonsense", false)]
    [InlineData("on-failure:2", 1, "1", true)]
    [InlineData("on-failure:2", 1, "2", false)]
    [InlineData("on-failure:2", 0, "0", false)]
    [InlineData("on-failure:0", 1, "9", true)]
    [InlineData("unless-stopped", 0, "", true)]
    public void A_policy_restarts_a_task_that_ended_so(string policy, uint status, string count, bool restarts)
    {
        RestartDecision decision = RestartDecision.Of(
            Of((RestartLabels.Status, "running"), (RestartLabels.Policy, policy), (RestartLabels.Count, count)), Task("stopped", status), false);
        Assert.Equal(restarts, decision is RestartDecision.Start);
    }

    [Theory]
    [InlineData("true", false)]
    [InlineData("1", false)]
    [InlineData("T", false)]
    [InlineData("false", true)]
    [InlineData("yes", true)]
    public void What_a_client_stopped_on_purpose_stays_stopped_under_unless_stopped(string stopped, bool restarts)
    {
        RestartDecision decision = RestartDecision.Of(
            Of((RestartLabels.Status, "running"), (RestartLabels.Policy, "unless-stopped"), (RestartLabels.ExplicitlyStopped, stopped)), null, false);
        Assert.Equal(restarts, decision is RestartDecision.Start);
    }

    [Fact]
    public void A_task_that_was_deleted_failed_at_nothing() => Assert.IsType<RestartDecision.Leave>(RestartDecision.Of(
        Of((RestartLabels.Status, "running"), (RestartLabels.Policy, "on-failure")), null, false));

    [Theory]
    [InlineData("sometimes", "restart policy \"sometimes\" not supported")]
    [InlineData("always:3", "restart policy \"always\" not support max retry count")]
    [InlineData("no:", "restart policy \"no\" not support max retry count")]
    [InlineData("on-failure:many", "invalid max retry count: many")]
    [InlineData("on-failure:", "invalid max retry count: ")]
    public void A_policy_that_is_none_is_complained_about(string policy, string text)
    {
        RestartDecision decision = RestartDecision.Of(Of((RestartLabels.Status, "running"), (RestartLabels.Policy, policy)), null, false);
        Assert.Equal(text, Assert.IsType<RestartDecision.Complain>(decision).Error.Text);
    }

    [Theory]
    [InlineData("", 1)]
    [InlineData("4", 5)]
    [InlineData("nonsense", 1)]
    public void A_restart_counts_on(string count, int next)
    {
        RestartDecision decision = RestartDecision.Of(
            Of((RestartLabels.Status, "running"), (RestartLabels.Count, count), (RestartLabels.LogUri, "file:///log")), null, false);
        RestartDecision.Start start = Assert.IsType<RestartDecision.Start>(decision);
        Assert.Equal((next, "file:///log"), (start.Count, start.LogUri));
    }

    [Theory]
    [InlineData("", "always")]
    [InlineData("on-failure:3", "on-failure:3")]
    [InlineData("on-failure:-1", "on-failure")]
    [InlineData("unless-stopped", "unless-stopped")]
    public void A_policy_is_named_as_its_label_names_it(string label, string name) =>
        Assert.Equal(name, Assert.IsType<Done<RestartPolicy>>(RestartPolicy.Parse(label)).Result.ToString());

    private static ProcessRecord? Task(string status, uint exit = 0) => status switch
    {
        "none" => null,
        "created" or "created before" => Record(ProcessStatus.Created),
        "running" => Record(ProcessStatus.Running),
        "paused" => Record(ProcessStatus.Paused),
        "pausing" => Record(ProcessStatus.Pausing),
        _ => Record(ProcessStatus.Stopped) with { Exit = new ProcessExit(7, exit, DateTimeOffset.UnixEpoch) },
    };

    private static ProcessRecord Record(ProcessStatus status) => new("c", "", 7, status, new ProcessStdio("", "", "", false), null);

    private static ImmutableSortedDictionary<string, string> Of(params (string Name, string Value)[] labels) =>
        Labels.From(labels.Where(label => label.Value.Length > 0).Select(label => KeyValuePair.Create(label.Name, label.Value)));
}
