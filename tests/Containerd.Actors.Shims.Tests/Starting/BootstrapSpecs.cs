// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Shims.Starting;
using Containerd.Runtime.Bootstrap.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Containerd.Actors.Shims.Tests.Starting;

public class BootstrapSpecs
{
    private static readonly ShimSettings Settings = new()
    {
        GrpcAddress = "/run/c/c.sock",
        TtrpcAddress = "/run/c/c.sock.ttrpc",
        DaemonBinary = "/usr/bin/containerd-actors",
        Environment = ["PATH=/bin", "GOMAXPROCS=9"],
        ShimEnvironment = ["SCHED_CORE=1"],
    };

    private static readonly Any Options = new() { TypeUrl = "containerd.runc.v1.Options", Value = ByteString.CopyFrom(1, 2) };

    [Fact]
    public void A_message_is_read() => Assert.Equal(
        new ShimAddress(3, "unix:///run/s/1", "ttrpc"),
        ShimAddress.Parse(new BootstrapResult { Version = 3, Address = "unix:///run/s/1", Protocol = "TTRPC" }.ToByteArray()));

    [Theory]
    [InlineData("{\"version\":3,\"address\":\"unix:///run/s/1\",\"protocol\":\"ttrpc\"}\n", 3, "unix:///run/s/1")]
    [InlineData("unix:///run/s/1\n", 2, "unix:///run/s/1")]
    [InlineData("/containerd-shim/abstract", 2, "/containerd-shim/abstract")]
    public void Text_is_read(string answer, int version, string address) =>
        Assert.Equal(new ShimAddress(version, address, "ttrpc"), ShimAddress.Parse(Encoding.UTF8.GetBytes(answer)));

    [Fact]
    public void A_version_after_three_is_refused() => Assert.Equal(
        ErrorKind.NotImplemented,
        Assert.Throws<RefusedException>(() => ShimAddress.Parse("{\"version\":4,\"address\":\"unix:///x\"}"u8)).Error.Kind);

    [Fact]
    public void An_empty_answer_is_refused() => Assert.Throws<RefusedException>(() => ShimAddress.Parse("\n"u8));

    [Fact]
    public void What_is_kept_is_read_again()
    {
        var address = new ShimAddress(3, "unix:///run/s/1", "ttrpc");
        Assert.Equal("{\"version\":3,\"address\":\"unix:///run/s/1\",\"protocol\":\"ttrpc\"}", Encoding.UTF8.GetString(address.ToJson()));
        Assert.Equal(address, ShimAddress.Parse(address.ToJson()));
    }

    [Theory]
    [InlineData("containerd-shim-runc-v2", "containerd-shim-runc-v2:\n  Version:  1.6.20~ds1\n", BootstrapForm.Options)]
    [InlineData("containerd-shim-runc-v2", "x:\n  Version:  v2.2.1+unknown\n", BootstrapForm.Options)]
    [InlineData("containerd-shim-runc-v2", "x:\n  Version:  v2.3.0-beta.1\n", BootstrapForm.Params)]
    [InlineData("containerd-shim-runc-v2", "x:\n  Version:  2.10.0\n", BootstrapForm.Params)]
    [InlineData("containerd-shim-other-v1", "other 0.1", BootstrapForm.Params)]
    [InlineData("containerd-shim-runc-v1", "x:\n  Version:  2.3.0\n", BootstrapForm.Options)]
    public void The_version_decides_the_form(string name, string printed, BootstrapForm form) =>
        Assert.Equal(form, ShimVersion.FormOf(name, printed));

    [Theory]
    [InlineData("containerd-shim-actors-v1:\n  Version:  0.1.0\n  Adoption: 1\n", true)]
    [InlineData("containerd-shim-actors-v1:\n  Version:  0.1.0\n  Adoption: 2\n", false)]
    [InlineData("containerd-shim-runc-v2:\n  Version:  1.6.20~ds1\n", false)]
    public void A_shim_says_whether_it_can_be_given_a_bundle_later(string printed, bool adopts) =>
        Assert.Equal(adopts, ShimVersion.KindOf("x", printed).Adopts);

    [Fact]
    public void The_old_form_is_the_options_alone()
    {
        Assert.Equal(Options.ToByteArray(), Bootstrap.Input(BootstrapForm.Options, Settings, "ns", "c1", Options));
        Assert.Empty(Bootstrap.Input(BootstrapForm.Options, Settings, "ns", "c1", null));
    }

    [Fact]
    public void The_new_form_says_everything()
    {
        var bootstrap = BootstrapParams.Parser.ParseFrom(Bootstrap.Input(BootstrapForm.Params, Settings, "ns", "c1", Options));
        Assert.Equal(("c1", "ns"), (bootstrap.InstanceId, bootstrap.Namespace));
        Assert.Equal(Options, Assert.Single(bootstrap.Extensions).Value);
        Assert.Equal(Settings.TtrpcAddress, bootstrap.ContainerdTtrpcAddress);
    }

    [Fact]
    public void Arguments_are_in_containerds_order() => Assert.Equal(
        "/b -namespace ns -address /run/c/c.sock -publish-binary /usr/bin/containerd-actors -id c1 -bundle /x delete",
        string.Join(' ', Bootstrap.Arguments("/b", Settings, "ns", "c1", "delete", "/x")));

    [Fact]
    public void Variables_of_the_shim_win()
    {
        var environment = Bootstrap.Environment(Settings, "ns");
        Assert.Contains("GOMAXPROCS=2", environment);
        Assert.DoesNotContain("GOMAXPROCS=9", environment);
        Assert.Contains("SCHED_CORE=1", environment);
        Assert.Contains("NAMESPACE=ns", environment);
    }
}
