// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Containerd.Actors.Shim.Containers;

namespace Containerd.Actors.Shim.Tests.Containers;

public sealed class BundleConfigSpecs
{
    [Theory]
    [InlineData("""{}""", null, false)]
    [InlineData("""{"annotations":{"io.containerd.runc.v2.group":"g"}}""", "g", false)]
    [InlineData("""{"annotations":{"io.kubernetes.cri.sandbox-id":"pod"}}""", "pod", false)]
    [InlineData("""{"annotations":{"io.kubernetes.cri.sandbox-id":"pod","io.containerd.runc.v2.group":"g"}}""", "g", false)]
    [InlineData("""{"linux":{"namespaces":[{"type":"mount"},{"type":"pid"}]}}""", null, true)]
    [InlineData("""{"linux":{"namespaces":[{"type":"pid","path":"/proc/1/ns/pid"}]}}""", null, false)]
    public void Group_and_process_namespace_are_read(string json, string? group, bool hasPids) =>
        Assert.Equal(new BundleConfig(group, hasPids, false, false), BundleConfig.Parse(Encoding.UTF8.GetBytes(json)));

    [Fact]
    public void Hooks_are_seen() =>
        Assert.True(BundleConfig.Parse("""{"hooks":{"poststop":[{"path":"/bin/true"}]}}"""u8.ToArray()).HasHooks);

    [Theory]
    [InlineData("""{"process":{"args":["/pause"]}}""", true)]
    [InlineData("""{"process":{"args":[]}}""", false)]
    [InlineData("""{"process":{"cwd":"/"}}""", false)]
    [InlineData("""{"process":null}""", false)]
    public void Whether_there_is_something_to_run_is_seen(string json, bool hasProcess) =>
        Assert.Equal(hasProcess, BundleConfig.Parse(Encoding.UTF8.GetBytes(json)).HasProcess);

    [Theory]
    [InlineData("not json")]
    [InlineData("[]")]
    [InlineData("""{"annotations":{"io.kubernetes.cri.sandbox-id":1}}""")]
    public void A_configuration_of_another_form_is_refused(string json) =>
        Assert.Throws<FormatException>(() => BundleConfig.Parse(Encoding.UTF8.GetBytes(json)));
}
