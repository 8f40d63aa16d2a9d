// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Containerd.Actors.Core.Linux;
using Containerd.Actors.Core.Runtimes;
using Containerd.Actors.Linux.Processes;

namespace Containerd.Actors.Shims.Runtimes;

/// <summary>Finds out which OCI runtime works on this host, by having each run a container.</summary>
/// <remarks>
/// What a runtime needs of the kernel, the cgroups and the mounts around it is known to nobody but itself: crun 1.8, for one, refuses
/// hybrid cgroups while a controller is left in the second hierarchy. The container sees the host's programs read-only, asks the runtime
/// for its version there and is gone.
/// </remarks>
/// <param name="directory">Directory of the probe's bundles.</param>
/// <param name="environment">The daemon's own environment, as <c>NAME=value</c>.</param>
/// <param name="searchPath">Directories in which runtimes are looked for, as in <c>PATH</c>.</param>
/// <param name="timeout">Longest time for one runtime.</param>
public sealed class OciRuntimeProbe(string directory, ImmutableArray<string> environment, string searchPath, TimeSpan timeout)
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const int ReasonLengthMax = 300;
    private static readonly string[] OfEveryContainer = ["dev", "lost+found", "proc", "run", "sys", "tmp"];

    /// <summary>Tries runtimes in order until one works.</summary>
    /// <param name="candidates">Names to look for, or absolute paths; a single one is taken as it is.</param>
    /// <param name="cancellation">Gives up.</param>
    public async Task<OciRuntimeChoice> ChooseAsync(ImmutableArray<string> candidates, CancellationToken cancellation = default)
    {
        OciRuntimeChoice choice = OciRuntimeChoice.Among(candidates);
        while (choice.Next is { } candidate)
        {
            choice = choice.After(candidate, await ProblemOfAsync(candidate, cancellation).ConfigureAwait(false));
        }

        return choice;
    }

    // Null when it works.
    private async Task<string?> ProblemOfAsync(string candidate, CancellationToken cancellation)
    {
        if (Find(candidate) is not { } binary)
        {
            return "not installed";
        }

        string bundle = Path.Combine(directory, Path.GetFileName(candidate));
        try
        {
            string root = Directory.CreateDirectory(Path.Combine(bundle, "rootfs"), Private).FullName;
            await File.WriteAllBytesAsync(Path.Combine(bundle, "config.json"), Spec(binary, ShowPrograms(root)), cancellation).ConfigureAwait(false);
            string id = $"probe-{Environment.ProcessId}-{Path.GetFileName(candidate)}";
            ProcessResult ran = await RunAsync(binary, bundle, ["run", "--bundle", bundle, id], cancellation).ConfigureAwait(false);
            if (!ran.Exit.IsSuccess || ran.IsTimedOut)
            {
                await RunAsync(binary, bundle, ["delete", "--force", id], cancellation).ConfigureAwait(false);
            }

            return ran.IsTimedOut ? $"not done after {timeout.TotalSeconds:0.#} s" : ran.Exit.IsSuccess ? null : Reason(ran);
        }
        catch (Exception e) when (e is LinuxException or IOException or UnauthorizedAccessException)
        {
            return e.Message;
        }
        finally
        {
            Remove(bundle);
        }
    }

    private Task<ProcessResult> RunAsync(string binary, string bundle, string[] arguments, CancellationToken cancellation) => ChildProcess.RunAsync(
        new SpawnRequest
        {
            Path = binary,
            Arguments = [binary, "--root", Path.Combine(bundle, "state"), .. arguments],
            Environment = environment,
            StandardError = SpawnStream.SameAsOutput,
        },
        default,
        timeout,
        cancellation: cancellation);

    private string? Find(string candidate) => candidate.StartsWith('/')
        ? File.Exists(candidate) ? candidate : null
        : searchPath.Split(':', StringSplitOptions.RemoveEmptyEntries).Select(at => Path.Combine(at, candidate)).FirstOrDefault(File.Exists);

    private static string Reason(ProcessResult ran)
    {
        string said = Encoding.UTF8.GetString(ran.Output).Trim().ReplaceLineEndings(" ");
        return said.Length == 0 ? $"{ran.Exit}" : said.Length > ReasonLengthMax ? said[..ReasonLengthMax] : said;
    }

    private static void Remove(string bundle)
    {
        try
        {
            Directory.Delete(bundle, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What a hanging runtime still holds is replaced by the next probe.
        }
    }

    // Directories of the host are mounted, links are made again: where programs and their libraries lie differs between distributions.
    private static List<string> ShowPrograms(string root)
    {
        List<string> shown = [];
        foreach (DirectoryInfo directory in new DirectoryInfo("/").EnumerateDirectories().Where(each => !OfEveryContainer.Contains(each.Name)))
        {
            if (directory.LinkTarget is { } target)
            {
                File.CreateSymbolicLink(Path.Combine(root, directory.Name), target);
            }
            else
            {
                shown.Add(directory.FullName);
            }
        }

        return shown;
    }

    // OCI runtime-spec, config.md: the smallest container that needs what every container needs.
    private static byte[] Spec(string binary, List<string> directories)
    {
        ArrayBufferWriter<byte> buffer = new();
        using (Utf8JsonWriter json = new(buffer))
        {
            json.WriteStartObject();
            // What today's clients write: crun before 1.9 runs 1.0 alone and would refuse them.
            json.WriteString("ociVersion", "1.2.1");
            json.WriteStartObject("process");
            json.WriteString("cwd", "/");
            json.WriteStartObject("user");
            json.WriteNumber("uid", 0);
            json.WriteNumber("gid", 0);
            json.WriteEndObject();
            Write(json, "args", binary, "--version");
            Write(json, "env", "PATH=/usr/sbin:/usr/bin:/sbin:/bin");
            json.WriteEndObject();
            json.WriteStartObject("root");
            json.WriteString("path", "rootfs");
            json.WriteEndObject();
            json.WriteStartArray("mounts");
            Mount(json, "/proc", "proc", "proc");
            Mount(json, "/dev", "tmpfs", "tmpfs", "nosuid", "mode=755");
            directories.ForEach(directory => Mount(json, directory, "bind", directory, "bind", "ro"));
            json.WriteEndArray();
            json.WriteStartObject("linux");
            json.WriteStartArray("namespaces");
            foreach (string type in new[] { "pid", "ipc", "uts", "mount", "network" })
            {
                json.WriteStartObject();
                json.WriteString("type", type);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static void Mount(Utf8JsonWriter json, string at, string type, string source, params string[] options)
    {
        json.WriteStartObject();
        json.WriteString("destination", at);
        json.WriteString("type", type);
        json.WriteString("source", source);
        Write(json, "options", options);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, string name, params string[] values)
    {
        json.WriteStartArray(name);
        Array.ForEach(values, json.WriteStringValue);
        json.WriteEndArray();
    }
}
