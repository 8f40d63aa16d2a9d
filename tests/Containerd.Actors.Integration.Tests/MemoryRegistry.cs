// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Formats.Tar;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Containerd.Actors.Integration.Tests;

/// <summary>A registry in this process with one image, which may break off, ask for a password and tell what it was asked.</summary>
internal sealed class MemoryRegistry : IDisposable
{
    private const string ManifestType = "application/vnd.oci.image.manifest.v1+json";
    private const string ConfigType = "application/vnd.oci.image.config.v1+json";
    private const string LayerType = "application/vnd.oci.image.layer.v1.tar";

    private readonly HttpListener _listener = new();
    private readonly Dictionary<string, (string MediaType, byte[] Bytes)> _objects = [];
    private readonly int _port;

    private readonly string _first;

    /// <param name="uppers">Further layers; they hold files in a directory that only the first layer speaks of.</param>
    public MemoryRegistry(int uppers = 0)
    {
        byte[][] layers = [Archive(), .. Enumerable.Range(1, uppers).Select(Upper)];
        _first = DigestOf(layers[0]);
        string architecture = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "arm64" : "amd64";
        string config = Add(ConfigType, Encoding.UTF8.GetBytes(
            $$$"""{"os":"linux","architecture":"{{{architecture}}}","rootfs":{"type":"layers","diff_ids":[{{{string.Join(',', layers.Select(layer => $"\"{DigestOf(layer)}\""))}}}]}}"""));
        byte[] manifest = Encoding.UTF8.GetBytes(
            $$"""{"schemaVersion":2,"mediaType":"{{ManifestType}}","config":{{config}},"layers":[{{string.Join(',', layers.Select(layer => Add(LayerType, layer)))}}]}""");
        Add(ManifestType, manifest);
        Target = DigestOf(manifest);
        _objects["latest"] = (ManifestType, manifest);
        using (TcpListener probe = new(IPAddress.Loopback, 0))
        {
            probe.Start();
            _port = ((IPEndPoint)probe.LocalEndpoint).Port;
        }

        _listener.Prefixes.Add($"http://127.0.0.1:{_port}/");
        _listener.Start();
        _ = AcceptAsync();
    }

    public string Reference => $"127.0.0.1:{_port}/test/image:latest";

    /// <summary>Digest of the manifest.</summary>
    public string Target { get; }

    /// <summary>Name and password that it asks for; empty for none.</summary>
    public string Password { get; set; } = "";

    /// <summary>The first layer stands still behind this many bytes.</summary>
    public int StopsBehind { get; set; } = int.MaxValue;

    /// <summary>The offsets from which the first layer was asked for, in order.</summary>
    public ConcurrentQueue<long> Offsets { get; } = new();

    /// <summary>Done when the layer stands still.</summary>
    public TaskCompletionSource Stopped { get; private set; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Reset()
    {
        StopsBehind = int.MaxValue;
        Offsets.Clear();
        Stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    public void Dispose() => ((IDisposable)_listener).Dispose();

    private static byte[] Archive()
    {
        byte[] content = new byte[4 << 20];
        new Random(1).NextBytes(content);
        using MemoryStream bytes = new();
        using (TarWriter writer = new(bytes, TarEntryFormat.Pax, leaveOpen: true))
        {
            using MemoryStream file = new(content);
            writer.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, "file") { DataStream = file });
            writer.WriteEntry(new PaxTarEntry(TarEntryType.Directory, "shared/") { Mode = (UnixFileMode)0x3C8, Uid = 12, Gid = 34 });
        }

        return bytes.ToArray();
    }

    private static byte[] Upper(int number)
    {
        using MemoryStream bytes = new();
        using (TarWriter writer = new(bytes, TarEntryFormat.Pax, leaveOpen: true))
        {
            using MemoryStream file = new(Encoding.UTF8.GetBytes($"layer {number}"));
            writer.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, $"shared/{number}") { DataStream = file });
        }

        return bytes.ToArray();
    }

    private static string DigestOf(byte[] bytes) => $"sha256:{Convert.ToHexStringLower(SHA256.HashData(bytes))}";

    // The descriptor of what is added.
    private string Add(string mediaType, byte[] bytes)
    {
        string digest = DigestOf(bytes);
        _objects[digest] = (mediaType, bytes);
        return $$"""{"mediaType":"{{mediaType}}","digest":"{{digest}}","size":{{bytes.Length}}}""";
    }

    private async Task AcceptAsync()
    {
        while (_listener.IsListening)
        {
            try
            {
                _ = AnswerAsync(await _listener.GetContextAsync());
            }
            catch (Exception closed) when (closed is HttpListenerException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task AnswerAsync(HttpListenerContext context)
    {
        try
        {
            await AnswerAsync(context.Request, context.Response);
            context.Response.Close();
        }
        catch (Exception gone) when (gone is HttpListenerException or ObjectDisposedException or IOException)
        {
            // The client went away, which is what these tests are about.
        }
    }

    private async Task AnswerAsync(HttpListenerRequest request, HttpListenerResponse response)
    {
        string wanted = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(Password));
        if (Password.Length > 0 && request.Headers["Authorization"] != wanted)
        {
            response.StatusCode = 401;
            response.AddHeader("WWW-Authenticate", "Basic realm=\"test\"");
            return;
        }

        if (!_objects.TryGetValue(request.Url!.Segments[^1], out (string MediaType, byte[] Bytes) found))
        {
            response.StatusCode = request.Url.AbsolutePath == "/v2/" ? 200 : 404;
            return;
        }

        long offset = request.Headers["Range"] is { } range ? long.Parse(range["bytes=".Length..^1], System.Globalization.CultureInfo.InvariantCulture) : 0;
        response.ContentType = found.MediaType;
        response.ContentLength64 = found.Bytes.Length - offset;
        if (offset > 0)
        {
            response.StatusCode = 206;
            response.AddHeader("Content-Range", $"bytes {offset}-{found.Bytes.Length - 1}/{found.Bytes.Length}");
        }

        if (request.HttpMethod == "HEAD")
        {
            return;
        }

        bool isLayer = request.Url.Segments[^1] == _first;
        if (isLayer)
        {
            Offsets.Enqueue(offset);
        }

        int end = isLayer ? Math.Min(found.Bytes.Length, StopsBehind) : found.Bytes.Length;
        await response.OutputStream.WriteAsync(found.Bytes.AsMemory((int)offset, end - (int)offset));
        await response.OutputStream.FlushAsync();
        if (end < found.Bytes.Length)
        {
            Stopped.TrySetResult();
            await Task.Delay(Timeout.Infinite, CancellationToken.None);
        }
    }
}
