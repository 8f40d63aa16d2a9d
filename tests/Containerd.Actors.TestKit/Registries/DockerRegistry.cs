// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Containerd.Actors.TestKit.Programs;

namespace Containerd.Actors.TestKit.Registries;

/// <summary>docker's registry on a free port of the loopback, without TLS; its images go with whoever owns its directory.</summary>
public sealed class DockerRegistry : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private readonly Process _process;

    private DockerRegistry(Process process, string host) => (_process, Host) = (process, host);

    /// <summary>Host and port, as an image reference begins.</summary>
    public string Host { get; }

    /// <summary>Starts it with its files in this directory and waits until it answers.</summary>
    public static async Task<DockerRegistry> StartAsync(string directory)
    {
        string host = $"127.0.0.1:{FreePort()}";
        string configuration = Path.Combine(directory, "registry.yml");
        await File.WriteAllTextAsync(
            configuration, $"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {directory}/registry}}}}\nhttp: {{addr: {host}}}\n");
        Process process = Process.Start(new ProcessStartInfo("docker-registry", ["serve", configuration]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        DockerRegistry registry = new(process, host);
        try
        {
            using HttpClient client = new() { Timeout = TimeSpan.FromSeconds(5) };
            await Command.UntilAsync(() => AskAsync(client, host), ran => ran.Status == 200, Patience);
            return registry;
        }
        catch
        {
            await registry.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private static async Task<Ran> AskAsync(HttpClient client, string host)
    {
        try
        {
            using HttpResponseMessage response = await client.GetAsync(new Uri($"http://{host}/v2/"));
            return new Ran((int)response.StatusCode, "", "");
        }
        catch (HttpRequestException silent)
        {
            return new Ran(-1, "", silent.Message);
        }
    }

    private static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
