// SPDX-License-Identifier: Apache-2.0

using System.Collections;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Containerd.Actors.Linux.Processes;
using Containerd.Actors.Shim.Cgroups;
using Containerd.Actors.Shim.Containers;
using Containerd.Runtime.Bootstrap.V1;
using Google.Protobuf;

namespace Containerd.Actors.Shim.Starting;

/// <summary>The action <c>start</c>: runs a server for the bundle in the working directory, or finds that of its group, and tells its address.</summary>
internal static class StartAction
{
    private const int ListenerDescriptor = 3;
    private const int OomScoreMax = 1000;

    /// <summary>Runs the action; its only output is the answer.</summary>
    public static async Task<int> RunAsync(ShimArguments arguments)
    {
        StartInput input = StartInput.Parse(await ReadInputAsync(), arguments.Namespace, arguments.Id);
        string directory = input.Parameters is { HasSocketDir: true, SocketDir.Length: > 0 } told ? told.SocketDir : ShimSocket.DefaultDirectory;
        string group = BundleConfig.Read(Directory.GetCurrentDirectory()).Group ?? arguments.Id;
        string path = ShimSocket.PathOf(directory, arguments.Address, arguments.Namespace, group);
        if (ShimSocket.Listen(path) is { } listener)
        {
            BundleFiles.WriteStartOptions(Directory.GetCurrentDirectory(), input.Options);
            Serve(arguments, listener, input);
        }

        Record(directory, path);
        await AnswerAsync(input, ShimSocket.AddressOf(path));
        return 0;
    }

    // Not disposed: the socket's file would go with it, and the server has it now.
    private static void Serve(ShimArguments arguments, Socket listener, StartInput input)
    {
        string self = Environment.ProcessPath!;
        ChildProcess server = ChildProcess.Spawn(new SpawnRequest
        {
            Path = self,
            Arguments = [self, "-namespace", arguments.Namespace, "-id", arguments.Id, "-address", arguments.Address, .. arguments.IsDebug ? ["-debug"] : Array.Empty<string>()],
            Environment = [.. Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(variable => $"{variable.Key}={variable.Value}")],
            WorkingDirectory = Directory.GetCurrentDirectory(),
            Descriptors = [new InheritedDescriptor(ListenerDescriptor, listener.SafeHandle)],
            IsGroupLeader = true,
        });
        if (input.Options.ShimCgroup.Length > 0)
        {
            CgroupMembership.Add(input.Options.ShimCgroup, server.Pid);
        }

        PreferToEnd(server.Pid);
    }

    /// <summary>Has the kernel rather end that process than the one that started it, by one; proc(5), oom_score_adj. Best effort: lowering is a privilege.</summary>
    public static void PreferToEnd(int pid)
    {
        try
        {
            int own = int.Parse(File.ReadAllText("/proc/self/oom_score_adj"), CultureInfo.InvariantCulture);
            File.WriteAllText($"/proc/{pid}/oom_score_adj", Math.Min(own + 1, OomScoreMax).ToString(CultureInfo.InvariantCulture));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            // The kernel then treats both alike.
        }
    }

    /// <summary>Leaves in the bundle, which is the working directory, where the socket is: a later delete finds it by that.</summary>
    public static void Record(string directory, string path)
    {
        if (!Path.Exists(DeleteAction.SocketLink))
        {
            File.CreateSymbolicLink(DeleteAction.SocketLink, directory);
        }

        File.WriteAllText("address", ShimSocket.AddressOf(path));
    }

    private static async Task<byte[]> ReadInputAsync()
    {
        using MemoryStream all = new();
        await using Stream input = Console.OpenStandardInput();
        await input.CopyToAsync(all);
        return all.ToArray();
    }

    // containerd 2.3 reads a message; 1.7 to 2.2 JSON, which they announce by a variable; older ones the bare address.
    private static async Task AnswerAsync(StartInput input, string address)
    {
        await using Stream output = Console.OpenStandardOutput();
        byte[] answer = input.Parameters is not null
            ? new BootstrapResult { Version = 3, Address = address, Protocol = "ttrpc" }.ToByteArray()
            : Encoding.UTF8.GetBytes(Environment.GetEnvironmentVariable("MAX_SHIM_VERSION") is null
                ? address
                : $$"""{"version":2,"address":"{{address}}","protocol":"ttrpc"}""");
        await output.WriteAsync(answer);
    }
}
