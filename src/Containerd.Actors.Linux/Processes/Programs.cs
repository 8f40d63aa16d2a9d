// SPDX-License-Identifier: Apache-2.0

using System.Collections;
using System.Text;
using Containerd.Actors.Core.Executor;
using Containerd.Actors.Protocol.Errors;

namespace Containerd.Actors.Linux.Processes;

/// <summary>Programs that an operator put into a directory for the daemon to run.</summary>
internal static class Programs
{
    /// <summary>Paths of the files of a directory by name, or null when there is no such directory.</summary>
    public static string[]? List(string directory)
    {
        try
        {
            string[] files = Directory.GetFiles(directory);
            Array.Sort(files, StringComparer.Ordinal);
            return files;
        }
        catch (DirectoryNotFoundException)
        {
            return File.Exists(directory) ? throw new RefusedException(Error.Unknown($"{directory} is not a directory")) : null;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new RefusedException(Error.Unknown($"failed to read {directory}: {failure.Message}"), failure);
        }
    }

    /// <summary>Runs a program with the environment of the daemon; the calling lane waits for its end.</summary>
    public static ProgramResult Run(Effects.RunProgram run, CancellationToken cancellationToken)
    {
        SpawnRequest request = new()
        {
            Path = run.Path,
            Arguments = [run.Path, .. run.Arguments],
            Environment = [.. Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(variable => $"{variable.Key}={variable.Value}")],
            WorkingDirectory = "/",
            IsGroupLeader = true,
        };
        ProcessResult result = ChildProcess.RunAsync(request, run.Input, run.TimeLimit, run.OutputBytesMax, cancellationToken)
            .GetAwaiter().GetResult();
        return new ProgramResult(
            result.Exit.Status, Encoding.UTF8.GetString(result.Output), Encoding.UTF8.GetString(result.ErrorOutput), result.IsTimedOut);
    }
}
