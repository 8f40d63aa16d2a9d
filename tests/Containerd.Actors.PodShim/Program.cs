// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Containerd.Actors.PodShim;
using Containerd.Actors.Ttrpc;
using Containerd.Runtime.Bootstrap.V1;
using Containerd.Runtime.Task.V3;
using Containerd.Types;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

// A shim with the sandbox API for tests, small but whole: it is started, served and cleaned up after as any other. A sandbox is a
// sleeping process; the tasks that join it are processes on the host.
using Stream output = Console.OpenStandardOutput();
switch (args[^1])
{
    case "-info":
        await Console.OpenStandardInput().CopyToAsync(Stream.Null);
        new RuntimeInfo { Name = "io.containerd.pod.v1", Version = new RuntimeVersion { Version = "1.0.0" } }.WriteTo(output);
        return 0;
    case "-v":
        Console.WriteLine("containerd-shim-pod-v1:\n  Version:  2.3.0");
        return 0;
    case "delete":
        new DeleteResponse { ExitStatus = 137, ExitedAt = Timestamp.FromDateTime(DateTime.UtcNow) }.WriteTo(output);
        return 0;
    case "start":
        return await StartAsync();
    case "serve":
        return await ServeAsync();
    default:
        await Console.Error.WriteLineAsync($"unknown action {args[^1]}");
        return 1;
}

string Flag(string name) => args[Array.IndexOf(args, name) + 1];

async Task<int> StartAsync()
{
    BootstrapParams asked = BootstrapParams.Parser.ParseFrom(Console.OpenStandardInput());
    if (asked.InstanceId != Flag("-id"))
    {
        await Console.Error.WriteLineAsync($"instance {asked.InstanceId} is not {Flag("-id")}");
        return 1;
    }

    string name = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{Flag("-address")}/{Flag("-namespace")}/{Flag("-id")}")));
    string socket = Path.Combine(Path.GetTempPath(), $"pod-{name[..24]}.sock");
    ProcessStartInfo server = new(Environment.ProcessPath!)
    {
        ArgumentList = { "-namespace", Flag("-namespace"), "-id", Flag("-id"), "-address", Flag("-address"), "-socket", socket, "serve" },
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    };
    using Process serving = Process.Start(server)!;
    if (await serving.StandardOutput.ReadLineAsync() != "ready")
    {
        await Console.Error.WriteLineAsync(await serving.StandardError.ReadToEndAsync());
        return 1;
    }

    new BootstrapResult { Version = 3, Address = $"unix://{socket}", Protocol = IsGrpc() ? "grpc" : "ttrpc" }.WriteTo(output);
    return 0;
}

async Task<int> ServeAsync()
{
    Pod pod = new();
    await using TtrpcServer server = new(new TtrpcHandlers().AddSandbox(pod).AddTasks(pod));
    string socket = Flag("-socket");
    string spoken = IsGrpc() ? socket + ".ttrpc" : socket;
    server.Listen(spoken);
    await using IAsyncDisposable? face = IsGrpc() ? await GrpcFace.StartAsync(socket, spoken) : null;
    Console.WriteLine("ready");
    await pod.ShutDown;
    await server.StopAsync();
    File.Delete(socket);
    File.Delete(spoken);
    return 0;
}

// The same shim under another name speaks gRPC.
bool IsGrpc() => Path.GetFileName(Environment.ProcessPath!).StartsWith("containerd-shim-grpcpod", StringComparison.Ordinal);
