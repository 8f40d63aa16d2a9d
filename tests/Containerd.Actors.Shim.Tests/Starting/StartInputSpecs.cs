// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Shim.Starting;
using Containerd.Runc.V1;
using Containerd.Runtime.Bootstrap.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Containerd.Actors.Shim.Tests.Starting;

public sealed class StartInputSpecs
{
    private static readonly Any Crun = new() { TypeUrl = StartInput.OptionsType, Value = new Options { BinaryName = "crun", Root = "/r" }.ToByteString() };

    [Fact]
    public void Nothing_means_an_older_daemon_without_options()
    {
        StartInput input = StartInput.Parse([], "ns", "c1");
        Assert.Null(input.Parameters);
        Assert.Equal(new Options(), input.Options);
    }

    [Fact]
    public void Options_alone_are_the_older_form()
    {
        StartInput input = StartInput.Parse(Crun.ToByteArray(), "ns", "c1");
        Assert.Null(input.Parameters);
        Assert.Equal("crun", input.Options.BinaryName);
    }

    [Fact]
    public void Parameters_that_name_the_task_are_the_newer_form_and_bring_the_options_along()
    {
        BootstrapParams parameters = new() { InstanceId = "c1", Namespace = "ns", SocketDir = "/s" };
        parameters.Extensions.Add(new Containerd.Runtime.Bootstrap.V1.Extension { Value = Crun });
        StartInput input = StartInput.Parse(parameters.ToByteArray(), "ns", "c1");
        Assert.Equal("/s", input.Parameters!.SocketDir);
        Assert.Equal("crun", input.Options.BinaryName);
    }

    [Fact]
    public void Options_of_another_runtime_and_broken_bytes_are_refused()
    {
        Assert.Throws<FormatException>(() => StartInput.OptionsOf(new Any { TypeUrl = "runtimeoptions.v1.Options" }));
        Assert.Throws<FormatException>(() => StartInput.Parse([0xff, 0xff, 0xff], "ns", "c1"));
    }
}
