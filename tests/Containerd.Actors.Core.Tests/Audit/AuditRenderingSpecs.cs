// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Containerd.Actors.Core.Audit;
using Containerd.Actors.Core.Containers;
using Containerd.Actors.Core.Tasks;
using Containerd.Actors.Protocol.Containers;
using Containerd.Actors.Protocol.Tasks;
using Containerd.Actors.Protocol.Values;

namespace Containerd.Actors.Core.Tests.Audit;

public sealed class AuditRenderingSpecs
{
    [Fact]
    public void Environment_values_and_credentials_of_a_spec_are_not_shown()
    {
        const string Spec = """
            {"process":{"args":["app","--db-password","hunter2","--api-key=hunter2","-v"],"env":["PATH=/bin","X=hunter2","BARE"]},
             "annotations":{"registry-token":"hunter2","plain":"kept"},"root":{"path":"https://me:hunter2@example.test/x"}}
            """;
        ContainerRecord container = new("redis") { Spec = new AnyValue("spec", Encoding.UTF8.GetBytes(Spec)) };

        string detail = AuditRendering.Detail(new ContainerEvents.Created(container));

        Assert.DoesNotContain("hunter2", detail, StringComparison.Ordinal);
        Assert.Contains("\"env\":[\"PATH=<redacted>\",\"X=<redacted>\",\"BARE\"]", detail, StringComparison.Ordinal);
        Assert.Contains("\"args\":[\"app\",\"--db-password\",\"<redacted>\",\"--api-key=<redacted>\",\"-v\"]", detail, StringComparison.Ordinal);
        Assert.Contains("\"plain\":\"kept\"", detail, StringComparison.Ordinal);
        Assert.Contains("https://<redacted>@example.test/x", detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_spec_that_is_not_json_is_measured()
    {
        ContainerRecord container = new("redis") { Spec = new AnyValue("spec", new byte[] { 1, 2, 3 }) };

        Assert.Equal(
            "{\"id\":\"redis\",\"spec\":\"3 bytes that are not JSON\"}", AuditRendering.Detail(new ContainerEvents.Created(container)));
    }

    [Fact]
    public void An_exit_is_one_line_of_json()
    {
        TaskEvents.Exited exited = new("", 7, 137, new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero), "killed");

        Assert.Equal(
            "{\"pid\":7,\"exit_status\":137,\"exited_at\":\"2026-03-01T12:00:00+00:00\",\"reason\":\"killed\"}",
            AuditRendering.Detail(exited));
    }

    [Fact]
    public void An_event_without_content_is_an_empty_object() => Assert.Equal("{}", AuditRendering.Detail(new TaskEvents.Paused()));

    [Fact]
    public void Arguments_of_an_exec_are_shown_without_credentials()
    {
        TaskEvents.ExecAdded added = new("e", new ProcessStdio("", "", "", false), ["login", "--token", "hunter2"]);

        Assert.Equal("{\"exec_id\":\"e\",\"args\":[\"login\",\"--token\",\"<redacted>\"]}", AuditRendering.Detail(added));
    }
}
