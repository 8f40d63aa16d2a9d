// SPDX-License-Identifier: Apache-2.0

using System.Net.Http.Headers;
using System.Security.Cryptography;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Oci.References;
using Containerd.Actors.Registry.Pushing;
using Containerd.Actors.TestKit.Registries;

namespace Containerd.Actors.Registry.Tests;

/// <summary>Against Debian's docker-registry, which the scripted server only imitates.</summary>
public sealed class DockerRegistrySpecs : IAsyncLifetime
{
    private const string Program = "/usr/bin/docker-registry";

    private readonly string _directory = Directory.CreateTempSubdirectory("registry-").FullName;
    private readonly CancellationTokenSource _deadline = new(TimeSpan.FromSeconds(60));
    private DockerRegistry? _registry;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        if (_registry is not null)
        {
            await _registry.DisposeAsync();
        }

        Directory.Delete(_directory, recursive: true);
        _deadline.Dispose();
    }

    [SkippableFact]
    public async Task An_image_is_resolved_and_its_blobs_are_read()
    {
        Skip.IfNot(File.Exists(Program), "docker-registry is not installed");
        string host = await StartAsync();
        using var http = new HttpClient { BaseAddress = new Uri($"http://{host}/v2/a/b/") };
        Descriptor config = await PushAsync(http, "{}"u8.ToArray(), MediaTypes.OciConfig);
        byte[] bytes = RandomNumberGenerator.GetBytes(300_000);
        Descriptor layer = await PushAsync(http, bytes, MediaTypes.OciLayer);
        byte[] manifest = ImageDocuments.Write(new Manifest { MediaType = MediaTypes.OciManifest, Config = config, Layers = [layer] });
        using var content = new ByteArrayContent(manifest);
        content.Headers.ContentType = new MediaTypeHeaderValue(MediaTypes.OciManifest);
        (await http.PutAsync("manifests/t", content, _deadline.Token)).EnsureSuccessStatusCode();

        using RegistrySession session = new RegistryClient(new RegistrySettings()).Open(ImageReference.Parse($"{host}/a/b:t"));
        ResolvedImage resolved = await session.ResolveAsync(_deadline.Token);
        Assert.Equal(Digest.Of(manifest), resolved.Descriptor.Digest);
        await using Stream stream = await session.OpenBlobAsync(layer, 200_000, _deadline.Token);
        using var rest = new MemoryStream();
        await stream.CopyToAsync(rest, _deadline.Token);
        Assert.Equal(bytes[200_000..], rest.ToArray());
    }

    [SkippableFact]
    public async Task An_image_is_pushed_and_its_layer_is_mounted_into_another_repository()
    {
        Skip.IfNot(File.Exists(Program), "docker-registry is not installed");
        string host = await StartAsync();
        byte[] bytes = RandomNumberGenerator.GetBytes(3_000_000);
        Descriptor layer = new(MediaTypes.OciLayer, Digest.Of(bytes), bytes.Length);
        byte[] configBytes = "{}"u8.ToArray();
        Descriptor config = new(MediaTypes.OciConfig, Digest.Of(configBytes), configBytes.Length);
        byte[] manifestBytes = ImageDocuments.Write(new Manifest { MediaType = MediaTypes.OciManifest, Config = config, Layers = [layer] });
        Descriptor manifest = new(MediaTypes.OciManifest, Digest.Of(manifestBytes), manifestBytes.Length);
        var client = new RegistryClient(new RegistrySettings());

        Assert.Equal([PushOutcome.Uploaded, PushOutcome.Uploaded, PushOutcome.Uploaded], await PushTo("a/b", null));
        Assert.Equal([PushOutcome.Existed, PushOutcome.Existed, PushOutcome.Existed], await PushTo("a/b", null));
        Assert.Equal([PushOutcome.Mounted, PushOutcome.Mounted, PushOutcome.Uploaded], await PushTo("a/c", "a/b"));

        using RegistrySession session = client.Open(ImageReference.Parse($"{host}/a/c:t"));
        Assert.Equal(manifest.Digest, (await session.ResolveAsync(_deadline.Token)).Descriptor.Digest);
        await using Stream stream = await session.OpenBlobAsync(layer, 0, _deadline.Token);
        using var all = new MemoryStream();
        await stream.CopyToAsync(all, _deadline.Token);
        Assert.Equal(bytes, all.ToArray());
        Assert.Empty(await session.FetchReferrersAsync(manifest.Digest, null, _deadline.Token));

        async Task<PushOutcome[]> PushTo(string repository, string? from)
        {
            using PushSession push = client.OpenPush(ImageReference.Parse($"{host}/{repository}:t"));
            return
            [
                await push.PushBlobAsync(layer, from, offset => new MemoryStream(bytes[(int)offset..]), _ => { }, _deadline.Token),
                await push.PushBlobAsync(config, from, offset => new MemoryStream(configBytes[(int)offset..]), _ => { }, _deadline.Token),
                await push.PushManifestAsync(manifest, manifestBytes, isTarget: true, _deadline.Token),
            ];
        }
    }

    private async Task<Descriptor> PushAsync(HttpClient http, byte[] bytes, string mediaType)
    {
        var digest = Digest.Of(bytes);
        HttpResponseMessage begun = await http.PostAsync("blobs/uploads/", null, _deadline.Token);
        using var content = new ByteArrayContent(bytes);
        Uri location = new(http.BaseAddress!, begun.Headers.Location!);
        (await http.PutAsync(new Uri($"{location}&digest={digest}"), content, _deadline.Token)).EnsureSuccessStatusCode();
        return new Descriptor(mediaType, digest, bytes.Length);
    }

    private async Task<string> StartAsync()
    {
        _registry = await DockerRegistry.StartAsync(_directory);
        return _registry.Host;
    }
}
