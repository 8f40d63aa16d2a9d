// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Akka.Configuration;

namespace Containerd.Actors.Daemon.Configuration;

/// <summary>What the command line may override.</summary>
/// <param name="Address">Unix socket; null: as configured.</param>
/// <param name="Root">Persistent directory; null: as configured.</param>
/// <param name="State">Directory that need not outlive a reboot; null: as configured.</param>
/// <param name="ConfigFile">File of overrides; null: none.</param>
/// <param name="LogLevel">Least severe message logged; null: as configured.</param>
public sealed record CommandLine(string? Address, string? Root, string? State, string? ConfigFile, string? LogLevel);

/// <summary>The settings of the daemon as a whole (<c>hocon/reference/daemon.conf</c>).</summary>
public sealed record DaemonSettings(
    string Address,
    string Root,
    string State,
    LogLevel LogLevel,
    bool LogSpans,
    int MessageSizeMax,
    TimeSpan AskTimeout,
    uint Uid,
    uint Gid,
    UnixFileMode Mode,
    int SubscriberQueueMax,
    TimeSpan ShutdownTimeout)
{
    /// <summary>Longest path of a unix socket with room for the suffix of the ttrpc socket; unix(7), sun_path.</summary>
    public const int AddressLengthMax = 100;

    /// <summary>Reads and checks the settings.</summary>
    /// <exception cref="ConfigurationException">A value is out of its range; the message names the key.</exception>
    public static DaemonSettings From(Config config)
    {
        Config daemon = config.GetConfig("containerd");
        DaemonSettings settings = new(
            Path.GetFullPath(daemon.GetString("address")),
            Path.GetFullPath(daemon.GetString("root")),
            Path.GetFullPath(daemon.GetString("state")),
            Level(daemon.GetString("log-level")),
            daemon.GetBoolean("log-spans"),
            (int)(daemon.GetByteSize("grpc.message-size-max") ?? throw new ConfigurationException("containerd.grpc.message-size-max is not a size")),
            daemon.GetTimeSpan("grpc.ask-timeout"),
            (uint)daemon.GetLong("grpc.uid"),
            (uint)daemon.GetLong("grpc.gid"),
            ModeOf(daemon.GetString("grpc.mode")),
            daemon.GetInt("events.subscriber-queue-max"),
            daemon.GetTimeSpan("shutdown-timeout"));
        return settings switch
        {
            { Address.Length: > AddressLengthMax } =>
                throw new ConfigurationException($"containerd.address is longer than {AddressLengthMax} bytes: {settings.Address}"),
            { MessageSizeMax: < 1 << 20 } => throw new ConfigurationException("containerd.grpc.message-size-max must be at least 1MiB"),
            { SubscriberQueueMax: < 1 or > 1_000_000 } =>
                throw new ConfigurationException("containerd.events.subscriber-queue-max must lie between 1 and 1,000,000"),
            _ => settings,
        };
    }

    private static LogLevel Level(string name) => name switch
    {
        "trace" => LogLevel.Trace,
        "debug" => LogLevel.Debug,
        "info" => LogLevel.Information,
        "warn" => LogLevel.Warning,
        "error" or "fatal" or "panic" => LogLevel.Error,
        _ => throw new ConfigurationException($"containerd.log-level: \"{name}\" is none of trace, debug, info, warn, error"),
    };

    private static UnixFileMode ModeOf(string octal)
    {
        try
        {
            int mode = Convert.ToInt32(octal, 8);
            return mode is >= 0 and <= 511 ? (UnixFileMode)mode : throw new FormatException();
        }
        catch (FormatException)
        {
            throw new ConfigurationException(string.Create(CultureInfo.InvariantCulture, $"containerd.grpc.mode: \"{octal}\" is no octal mode"));
        }
    }
}
