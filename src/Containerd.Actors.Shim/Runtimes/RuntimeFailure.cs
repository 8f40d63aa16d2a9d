// SPDX-License-Identifier: Apache-2.0

using System.Text;
using System.Text.Json;
using Containerd.Actors.Linux.Processes;

namespace Containerd.Actors.Shim.Runtimes;

/// <summary>What an OCI runtime says when it fails.</summary>
internal static class RuntimeFailure
{
    private const int LogBytesMax = 1 << 20;

    /// <summary>The last error of the runtime's log in JSON; else what it printed; else how it ended.</summary>
    public static string Text(string logPath, ProcessResult result) =>
        LastError(Log(logPath)) ?? Printed(result) ?? result.Exit.ToString();

    /// <summary>The message of the last line of level error; null when there is none.</summary>
    public static string? LastError(string log)
    {
        string? last = null;
        foreach (string line in log.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            try
            {
                using JsonDocument document = JsonDocument.Parse(line);
                JsonElement root = document.RootElement;
                if (root.TryGetProperty("level", out JsonElement level) && level.GetString() == "error" && root.TryGetProperty("msg", out JsonElement message))
                {
                    last = message.GetString();
                }
            }
            catch (Exception e) when (e is JsonException or InvalidOperationException)
            {
                // A runtime may mix other text into its log.
            }
        }

        return last;
    }

    /// <summary>Whether the text says that the process or container is gone.</summary>
    public static bool SaysGone(string text) =>
        text.Contains("process already finished", StringComparison.Ordinal)
        || text.Contains("container not running", StringComparison.Ordinal)
        || text.Contains("is not running", StringComparison.Ordinal)
        || text.Contains("No such process", StringComparison.OrdinalIgnoreCase)
        || SaysMissing(text);

    /// <summary>Whether the text says that there is no such container.</summary>
    public static bool SaysMissing(string text) =>
        text.Contains("does not exist", StringComparison.Ordinal)
        || text.Contains("No such file or directory", StringComparison.Ordinal) && text.Contains("status", StringComparison.Ordinal);

    private static string Log(string path)
    {
        try
        {
            using FileStream file = File.OpenRead(path);
            file.Seek(-Math.Min(file.Length, LogBytesMax), SeekOrigin.End);
            using StreamReader reader = new(file);
            return reader.ReadToEnd();
        }
        catch (IOException)
        {
            return "";
        }
    }

    private static string? Printed(ProcessResult result)
    {
        string text = Encoding.UTF8.GetString(result.ErrorOutput.Length > 0 ? result.ErrorOutput : result.Output).Trim();
        return text.Length > 0 ? text : null;
    }
}
