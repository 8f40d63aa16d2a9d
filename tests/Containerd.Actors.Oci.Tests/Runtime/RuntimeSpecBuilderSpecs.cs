// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Oci.Runtime;

namespace Containerd.Actors.Oci.Tests.Runtime;

public sealed class RuntimeSpecBuilderSpecs : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("rootfs-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void Arguments_replace_the_command_and_keep_the_entry_point()
    {
        RuntimeSpec spec = RuntimeSpecBuilder.Build("default", "c1", new RuntimeSpecOptions
        {
            Image = new ContainerConfig { Entrypoint = ["/bin/e"], Cmd = ["a"], Env = ["A=1", "B=2"] },
            Args = ["b"],
            Env = ["A=3", "B", "C=4"],
            Cpus = 0.5m,
            MemoryLimit = 4096,
        });
        Assert.Equal(["/bin/e", "b"], spec.Process.Args);
        Assert.Equal(["A=3", "C=4"], spec.Process.Env);
        Assert.Equal("/default/c1", spec.Linux.CgroupsPath);
        Assert.Equal(50_000, spec.Linux.Resources!.Cpu!.Quota);
        string json = Encoding.UTF8.GetString(spec.ToJson());
        Assert.Contains("\"memory\":{\"limit\":4096}", json, StringComparison.Ordinal);
        Assert.Equal(spec.Process.Args, ProcessSpec.FromSpecJson(spec.ToJson())!.Args);
    }

    [Fact]
    public void A_spec_says_the_version_that_every_runtime_takes() =>
        Assert.Equal("1.0.2", RuntimeSpecBuilder.Build("default", "c1", new RuntimeSpecOptions { Args = ["true"] }).OciVersion);

    [Fact]
    public void Nothing_to_run_is_refused() =>
        Assert.Throws<FormatException>(() => RuntimeSpecBuilder.Build("default", "c1", new RuntimeSpecOptions()));

    [Fact]
    public void Users_are_found_in_the_image()
    {
        Write("alice:x:7:8::/:/bin/sh", "g:x:9:alice\nwheel:x:10:");
        Assert.Equal((7u, 8u), Pair(UserResolver.Resolve("alice", _root)));
        Assert.Equal([8u, 9u], UserResolver.Resolve("alice", _root).AdditionalGids!);
        Assert.Equal((7u, 10u), Pair(UserResolver.Resolve("alice:wheel", _root)));
        Assert.Equal((7u, 8u), Pair(UserResolver.Resolve("7", _root)));
        Assert.Equal((5u, 6u), Pair(UserResolver.Resolve("5:6", null)));
        Assert.Throws<FormatException>(() => UserResolver.Resolve("bob", _root));
        Assert.Throws<FormatException>(() => UserResolver.Resolve("alice:nogroup", _root));
    }

    [Fact]
    public void A_link_in_the_image_never_reads_the_hosts_files()
    {
        Directory.CreateDirectory(Path.Combine(_root, "etc"));
        File.CreateSymbolicLink(Path.Combine(_root, "etc/passwd"), "../../../../../../../../etc/passwd");
        Assert.Throws<FormatException>(() => UserResolver.Resolve("daemon", _root));
    }

    private static (uint, uint) Pair(UserSpec user) => (user.Uid, user.Gid);

    private void Write(string passwd, string group)
    {
        Directory.CreateDirectory(Path.Combine(_root, "etc"));
        File.WriteAllText(Path.Combine(_root, "etc/passwd"), passwd);
        File.WriteAllText(Path.Combine(_root, "etc/group"), group);
    }
}
