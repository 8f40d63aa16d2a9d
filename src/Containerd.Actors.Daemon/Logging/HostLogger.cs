// SPDX-License-Identifier: Apache-2.0

using Akka.Actor;
using Akka.Dispatch;
using Akka.Event;

namespace Containerd.Actors.Daemon.Logging;

/// <summary>Takes what actors log to the log of the host.</summary>
public sealed class HostLogger : ReceiveActor, IRequiresMessageQueue<ILoggerMessageQueueSemantics>
{
    private static ILoggerFactory _factory = Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory.Instance;

    /// <summary>Answers the start of logging and forwards everything after it.</summary>
    public HostLogger()
    {
        Receive<InitializeLogger>(_ => Sender.Tell(new LoggerInitialized()));
        Receive<LogEvent>(Forward);
    }

    /// <summary>Names the log of the host; before that nothing is logged.</summary>
    public static void Use(ILoggerFactory factory) => _factory = factory;

    private static void Forward(LogEvent entry)
    {
        ILogger logger = _factory.CreateLogger(entry.LogSource);
        Microsoft.Extensions.Logging.LogLevel level = entry.LogLevel() switch
        {
            Akka.Event.LogLevel.DebugLevel => Microsoft.Extensions.Logging.LogLevel.Debug,
            Akka.Event.LogLevel.InfoLevel => Microsoft.Extensions.Logging.LogLevel.Information,
            Akka.Event.LogLevel.WarningLevel => Microsoft.Extensions.Logging.LogLevel.Warning,
            _ => Microsoft.Extensions.Logging.LogLevel.Error,
        };
        logger.Log(level, entry.Cause, "{Message}", entry.Message);
    }
}
