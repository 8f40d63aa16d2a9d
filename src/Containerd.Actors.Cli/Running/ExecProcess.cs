// SPDX-License-Identifier: Apache-2.0

using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Containerd.Actors.Cli.Errors;
using Containerd.Actors.Oci.Runtime;

namespace Containerd.Actors.Cli.Running;

/// <summary>Derives the process of an exec from the container's own: what is not asked for is as in the container.</summary>
/// <remarks>OCI runtime-spec, config.md "Process".</remarks>
internal static class ExecProcess
{
    /// <summary>The process as JSON in UTF-8.</summary>
    /// <param name="containerSpec">The container's runtime spec.</param>
    /// <param name="request">What was asked for.</param>
    /// <param name="rootDirectory">Where the container's files are, for users and groups by name.</param>
    /// <exception cref="CliFailure">The spec has no process, or a user is unknown.</exception>
    public static byte[] Compose(ReadOnlySpan<byte> containerSpec, ExecRequest request, string? rootDirectory)
    {
        JsonObject process = ReadProcess(containerSpec, request.Id);
        process["args"] = new JsonArray([.. request.Command.Select(argument => (JsonNode)argument)]);
        process["terminal"] = request.Terminal;
        process.Remove("consoleSize");
        if (request.WorkingDirectory is { } directory)
        {
            process["cwd"] = directory;
        }

        process["env"] = new JsonArray([.. Variables(process, request).Select(variable => (JsonNode)variable)]);
        if (request.User is { Length: > 0 } user)
        {
            process["user"] = JsonSerializer.SerializeToNode(FindUser(user, rootDirectory), RuntimeJson.Default.UserSpec);
        }

        return Encoding.UTF8.GetBytes(process.ToJsonString());
    }

    /// <summary>The variables with those added that are asked for; a later one of the same name wins.</summary>
    internal static IEnumerable<string> Merge(IEnumerable<string> before, IEnumerable<string> added)
    {
        var merged = new List<string>();
        foreach (string variable in before.Concat(added))
        {
            int known = merged.FindIndex(other => NameOf(other) == NameOf(variable));
            if (known < 0)
            {
                merged.Add(variable);
            }
            else
            {
                merged[known] = variable;
            }
        }

        return merged;
    }

    private static UserSpec FindUser(string user, string? rootDirectory)
    {
        try
        {
            return UserResolver.Resolve(user, rootDirectory);
        }
        catch (FormatException unknown)
        {
            throw new CliFailure(user, unknown.Message, "use a number", ExitCodes.NoProcess);
        }
    }

    private static string NameOf(string variable) => variable.Split('=', 2)[0];

    private static IEnumerable<string> Variables(JsonObject process, ExecRequest request)
    {
        IEnumerable<string> own = (process["env"] as JsonArray ?? []).Select(variable => variable?.GetValue<string>()).OfType<string>();
        IEnumerable<string> terminal = request.Terminal ? ["TERM=xterm"] : [];
        return Merge(own, terminal.Concat(request.Environment));
    }

    private static JsonObject ReadProcess(ReadOnlySpan<byte> containerSpec, string id)
    {
        try
        {
            if (JsonNode.Parse(containerSpec) is JsonObject spec && spec["process"] is JsonObject process)
            {
                return (JsonObject)process.DeepClone();
            }
        }
        catch (JsonException broken)
        {
            throw new CliFailure(id, $"the container's spec is not readable: {broken.Message}");
        }

        throw new CliFailure(id, "the container's spec has no process");
    }
}
