// SPDX-License-Identifier: Apache-2.0

using Akka.Configuration;
using Containerd.Actors.Core.Executor;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Supervision.Executor;

namespace Containerd.Actors.Supervision.Tests.Executor;

public sealed class ExecutorSettingsSpecs
{
    private static readonly Config Reference = ExecutorReference.Config;

    [Fact]
    public void The_reference_is_read()
    {
        ExecutorSettings settings = ExecutorSettings.Read(Reference);

        Assert.Equal(new LaneSettings("mount", 2, 1024, 4, TimeSpan.FromSeconds(30)), settings[LaneKind.Mount]);
        Assert.Equal(new LaneSettings("process", 1, 4096, 2, TimeSpan.FromSeconds(10)), settings[LaneKind.Process]);
        Assert.Equal(new LaneSettings("content", 2, 4096, 2, TimeSpan.FromMinutes(10)), settings[LaneKind.Content]);
        Assert.Equal(new LaneSettings("bulk", 4, 4096, 4, TimeSpan.FromMinutes(20)), settings[LaneKind.Bulk]);
        Assert.Equal(new LaneSettings("arrival", 2, 1, 2, TimeSpan.FromMinutes(20)), settings[LaneKind.Arrival]);
    }

    [Theory]
    [InlineData("mount.lanes", "0")]
    [InlineData("mount.lanes", "65")]
    [InlineData("process.lanes", "many")]
    [InlineData("bulk.queue-max", "0")]
    [InlineData("bulk.queue-max", "100001")]
    [InlineData("process.replacements-max", "-1")]
    [InlineData("mount.deadline", "9ms")]
    [InlineData("mount.deadline", "2h")]
    [InlineData("mount.deadline", "soon")]
    public void Nonsense_is_refused_by_key(string key, string value)
    {
        Config config = ConfigurationFactory.ParseString($"containerd.executor.{key} = {value}").WithFallback(Reference);

        RefusedException refused = Assert.Throws<RefusedException>(() => ExecutorSettings.Read(config));

        Assert.Equal(ErrorKind.InvalidArgument, refused.Error.Kind);
        Assert.StartsWith($"containerd.executor.{key}: ", refused.Error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_key_is_refused()
    {
        RefusedException refused = Assert.Throws<RefusedException>(() => ExecutorSettings.Read(ConfigurationFactory.ParseString("a = b")));

        Assert.Equal("containerd.executor.mount.lanes: is missing", refused.Error.Message);
    }
}

/// <summary>The reference configuration as it is in the repository.</summary>
internal static class ExecutorReference
{
    public static Config Config { get; } =
        ConfigurationFactory.ParseString(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "reference", "executor.conf")));
}
