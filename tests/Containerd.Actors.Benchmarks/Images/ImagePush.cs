// SPDX-License-Identifier: Apache-2.0

using System.Formats.Tar;
using System.Net.Http.Headers;
using System.Runtime.InteropServices;
using System.Text.Json;
using Containerd.Actors.Oci.Images;

namespace Containerd.Actors.Benchmarks.Images;

/// <summary>Makes images and puts them into a registry; OCI distribution-spec, "Pushing".</summary>
internal sealed class ImagePush(string host) : IDisposable
{
    private readonly HttpClient _client = new() { BaseAddress = new Uri($"http://{host}/"), Timeout = TimeSpan.FromMinutes(2) };

    /// <summary>The image of which containers are made.</summary>
    public Task<MadeImage> BusyboxAsync(CancellationToken cancellation) =>
        MakeAsync("library/busybox", Compression.Gzip, [Busybox.WriteTo], cancellation);

    /// <summary>An image that is only pulled.</summary>
    public Task<MadeImage> LayersAsync(Compression compression, int layers, int files, CancellationToken cancellation) => MakeAsync(
        $"library/layers-{compression.Name}",
        compression,
        [.. Enumerable.Range(0, layers).Select<int, Action<TarWriter>>(number => layer => FileLayers.WriteTo(layer, number, files))],
        cancellation);

    /// <inheritdoc />
    public void Dispose() => _client.Dispose();

    private async Task<MadeImage> MakeAsync(string name, Compression compression, Action<TarWriter>[] layers, CancellationToken cancellation)
    {
        List<Digest> diffIds = [];
        List<Descriptor> descriptors = [];
        foreach (Action<TarWriter> write in layers)
        {
            using MemoryStream plain = new();
            await using (TarWriter tar = new(plain, TarEntryFormat.Pax, leaveOpen: true))
            {
                write(tar);
            }

            using MemoryStream packed = new();
            await using (Stream compressing = compression.Over(packed))
            {
                await compressing.WriteAsync(plain.GetBuffer().AsMemory(0, (int)plain.Length), cancellation);
            }

            diffIds.Add(Digest.Of(plain.GetBuffer().AsSpan(0, (int)plain.Length)));
            descriptors.Add(await BlobAsync(name, compression.MediaType, packed.ToArray(), cancellation));
        }

        ImageConfig config = new()
        {
            Os = "linux",
            Architecture = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "arm64" : "amd64",
            Config = new ContainerConfig { Cmd = ["sh"], Env = ["PATH=/bin"] },
            RootFs = new RootFs { DiffIds = diffIds },
        };
        Manifest manifest = new()
        {
            MediaType = MediaTypes.OciManifest,
            Config = await BlobAsync(name, MediaTypes.OciConfig, JsonSerializer.SerializeToUtf8Bytes(config, OciJson.Default.ImageConfig), cancellation),
            Layers = descriptors,
        };
        using ByteArrayContent body = Body(MediaTypes.OciManifest, JsonSerializer.SerializeToUtf8Bytes(manifest, OciJson.Default.Manifest));
        using HttpResponseMessage put = await _client.PutAsync(new Uri($"v2/{name}/manifests/latest", UriKind.Relative), body, cancellation);
        put.EnsureSuccessStatusCode();
        return new MadeImage($"{host}/{name}:latest", ChainId.Of(diffIds).ToString(), descriptors.Sum(layer => layer.Size));
    }

    private async Task<Descriptor> BlobAsync(string name, string mediaType, byte[] bytes, CancellationToken cancellation)
    {
        Digest digest = Digest.Of(bytes);
        using HttpResponseMessage begun = await _client.PostAsync(new Uri($"v2/{name}/blobs/uploads/", UriKind.Relative), null, cancellation);
        begun.EnsureSuccessStatusCode();
        string place = begun.Headers.Location!.ToString();
        using ByteArrayContent body = Body("application/octet-stream", bytes);
        using HttpResponseMessage put = await _client.PutAsync(
            new Uri($"{place}{(place.Contains('?', StringComparison.Ordinal) ? '&' : '?')}digest={digest}"), body, cancellation);
        put.EnsureSuccessStatusCode();
        return new Descriptor(mediaType, digest, bytes.Length);
    }

    private static ByteArrayContent Body(string mediaType, byte[] bytes) => new(bytes) { Headers = { ContentType = new MediaTypeHeaderValue(mediaType) } };
}
