// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Daemon.Logging;

/// <summary>The log of the host: one line per message on standard error, for journald or whoever started the daemon.</summary>
internal static class Logs
{
    /// <summary>Makes the log.</summary>
    public static ILoggerFactory Create(LogLevel least) => LoggerFactory.Create(builder => Configure(builder, least));

    /// <summary>Configures the log of a host in the same way.</summary>
    public static void Configure(ILoggingBuilder builder, LogLevel least)
    {
        builder.ClearProviders();
        builder.SetMinimumLevel(least);
        builder.AddFilter("Microsoft", LogLevel.Warning);
        builder.AddFilter("Grpc", LogLevel.Error);
        builder.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.UseUtcTimestamp = true;
            console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
            console.ColorBehavior = Microsoft.Extensions.Logging.Console.LoggerColorBehavior.Disabled;
        });
        builder.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(
            console => console.LogToStandardErrorThreshold = LogLevel.Trace);
    }
}
