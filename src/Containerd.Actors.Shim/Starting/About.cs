// SPDX-License-Identifier: Apache-2.0

using System.Reflection;
using System.Text;
using Containerd.Actors.Linux.Processes;
using Containerd.Actors.Shim.Children;
using Containerd.Actors.Shim.Runtimes;
using Containerd.Runc.V1;
using Containerd.Types;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Containerd.Actors.Shim.Starting;

/// <summary>Answers to <c>-v</c> and <c>-info</c>.</summary>
internal static class About
{
    private const string Name = "io.containerd.actors.v1";

    /// <summary>Prints the version, and by which version of <c>adoption.proto</c> a daemon may give it bundles.</summary>
    public static int PrintVersion()
    {
        Console.Out.WriteLine($"containerd-shim-actors-v1:\n  Version:  {Version}\n  Adoption: 1");
        return 0;
    }

    /// <summary>Prints what the OCI runtime named in the options on standard input can do, as an encoded message.</summary>
    public static async Task<int> PrintInfoAsync()
    {
        using MemoryStream input = new();
        await using Stream given = Console.OpenStandardInput();
        await given.CopyToAsync(input);
        Options options = StartInput.OptionsOf(input.Length == 0 ? null : Any.Parser.ParseFrom(input.ToArray()));
        RuntimeInfo info = new() { Name = Name, Version = new RuntimeVersion { Version = Version } };
        string binary = OciRuntime.BinaryOf(options);
        ProcessResult features = await new ChildProcesses().RunAsync(
            new SpawnRequest { Path = binary, Arguments = [binary, "features"] }, default, TimeSpan.FromSeconds(5));
        if (features.Exit.IsSuccess)
        {
            // OCI runtime-spec, features.md.
            info.Features = new Any
            {
                TypeUrl = "types.containerd.io/opencontainers/runtime-spec/1/features/Features", Value = ByteString.CopyFrom(features.Output),
            };
        }

        ProcessResult version = await new ChildProcesses().RunAsync(
            new SpawnRequest { Path = binary, Arguments = [binary, "--version"] }, default, TimeSpan.FromSeconds(5));
        info.Annotations["io.containerd.actors.oci-runtime"] = Encoding.UTF8.GetString(version.Output).Split('\n')[0];
        await using Stream output = Console.OpenStandardOutput();
        await output.WriteAsync(info.ToByteArray());
        return 0;
    }

    private static string Version { get; } =
        typeof(About).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0.0.0";
}
