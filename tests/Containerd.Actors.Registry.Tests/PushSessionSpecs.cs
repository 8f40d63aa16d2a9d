// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Oci.References;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Registry.Authentication;
using Containerd.Actors.Registry.Pushing;

namespace Containerd.Actors.Registry.Tests;

public sealed class PushSessionSpecs : IDisposable
{
    private static readonly byte[] Blob = Encoding.ASCII.GetBytes(Convert.ToHexString(RandomNumberGenerator.GetBytes(20_000)));
    private static readonly Descriptor Layer = new(MediaTypes.OciLayer, Digest.Of(Blob), Blob.Length);
    private static readonly byte[] ManifestBytes = "{\"schemaVersion\":2}"u8.ToArray();
    private static readonly Descriptor Manifest = new(MediaTypes.OciManifest, Digest.Of(ManifestBytes), ManifestBytes.Length);

    private readonly string _directory = Directory.CreateTempSubdirectory("registry-").FullName;
    private readonly CancellationTokenSource _deadline = new(TimeSpan.FromSeconds(30));
    private readonly ConcurrentQueue<long> _progress = new();

    public void Dispose()
    {
        Directory.Delete(_directory, recursive: true);
        _deadline.Dispose();
    }

    [Fact]
    public async Task A_blob_is_looked_for_and_then_sent_in_one_piece()
    {
        using var server = new ScriptedServer(seen => seen.Method switch
        {
            "HEAD" => new Answer(404, []),
            "POST" => new Answer(202, [], "Location: /up/1?state=s"),
            _ => new Answer(201, [], $"Docker-Content-Digest: {Layer.Digest}"),
        });
        Assert.Equal(PushOutcome.Uploaded, await PushAsync(server.Host));
        Assert.Equal(
            [
                $"HEAD /v2/a/b/blobs/{Layer.Digest}",
                "POST /v2/a/b/blobs/uploads/",
                $"PUT /up/1?state=s&digest={Uri.EscapeDataString(Layer.Digest.ToString())}",
            ],
            server.Requests.Select(seen => $"{seen.Method} {seen.Target}"));
        Assert.Equal(Encoding.ASCII.GetString(Blob), server.Requests.Last()["body"]);
        Assert.Equal("application/octet-stream", server.Requests.Last()["Content-Type"]);
        Assert.Equal(Blob.Length, _progress.Last());
    }

    [Fact]
    public async Task Content_that_is_there_is_not_sent()
    {
        using var server = new ScriptedServer(_ => new Answer(200, [], $"Docker-Content-Digest: {Manifest.Digest}"));
        Assert.Equal(PushOutcome.Existed, await PushAsync(server.Host));
        using PushSession session = Open(server.Host);
        Assert.Equal(PushOutcome.Existed, await session.PushManifestAsync(Manifest, ManifestBytes, isTarget: true, _deadline.Token));
        Assert.All(server.Requests, seen => Assert.Equal("HEAD", seen.Method));
    }

    [Fact]
    public async Task Only_the_target_gets_the_tag_and_a_tag_that_stands_for_something_else_is_moved()
    {
        using var server = new ScriptedServer(seen => seen.Method == "HEAD"
            ? new Answer(seen.Target.EndsWith("/t", StringComparison.Ordinal) ? 200 : 404, [], $"Docker-Content-Digest: {Layer.Digest}")
            : new Answer(201, []));
        using PushSession session = Open(server.Host);
        await session.PushManifestAsync(Manifest, ManifestBytes, isTarget: false, _deadline.Token);
        await session.PushManifestAsync(Manifest, ManifestBytes, isTarget: true, _deadline.Token);
        Assert.Equal(
            [$"/v2/a/b/manifests/{Manifest.Digest}", "/v2/a/b/manifests/t"],
            server.Requests.Where(seen => seen.Method == "PUT").Select(seen => seen.Target));
        Assert.All(server.Requests.Where(seen => seen.Method == "PUT"), seen => Assert.Equal(MediaTypes.OciManifest, seen["Content-Type"]));
    }

    [Fact]
    public async Task A_blob_of_another_repository_is_mounted_with_a_token_for_both()
    {
        ScriptedServer? self = null;
        using var server = new ScriptedServer(seen => seen.Target.StartsWith("/token", StringComparison.Ordinal)
            ? new Answer(200, "{\"token\":\"t\"}"u8.ToArray())
            : seen["Authorization"] is null
                ? new Answer(401, [], $"WWW-Authenticate: Bearer realm=\"http://{self!.Host}/token\"")
                : new Answer(seen.Method == "HEAD" ? 404 : 201, []));
        self = server;
        Assert.Equal(PushOutcome.Mounted, await PushAsync(server.Host, mountFrom: "c/d"));
        Assert.Equal(
            $"/v2/a/b/blobs/uploads/?mount={Uri.EscapeDataString(Layer.Digest.ToString())}&from=c%2Fd",
            server.Requests.Last().Target);
        Assert.Contains(server.Requests, seen => seen.Target == "/token?scope=repository%3Aa%2Fb%3Apull%2Cpush");
        Assert.Contains(server.Requests, seen => seen.Target == "/token?scope=repository%3Aa%2Fb%3Apull%2Cpush&scope=repository%3Ac%2Fd%3Apull");
    }

    [Theory]
    [InlineData(202)]
    [InlineData(401)]
    [InlineData(404)]
    public async Task A_mount_that_is_not_granted_becomes_an_upload(int status)
    {
        using var server = new ScriptedServer(seen => (seen.Method, seen.Target.Contains("mount=", StringComparison.Ordinal)) switch
        {
            ("HEAD", _) => new Answer(404, []),
            ("POST", true) => new Answer(status, [], "Location: /up/1"),
            ("POST", false) => new Answer(202, [], "Location: /up/2"),
            _ => new Answer(201, []),
        });
        Assert.Equal(PushOutcome.Uploaded, await PushAsync(server.Host, mountFrom: "c/d"));
        Assert.StartsWith(status == 202 ? "/up/1?" : "/up/2?", server.Requests.Last().Target, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_upload_that_broke_off_goes_on_where_the_registry_stands()
    {
        bool isBroken = false;
        using var server = new ScriptedServer(seen =>
        {
            switch (seen.Method)
            {
                case "HEAD": return new Answer(404, []);
                case "POST": return new Answer(202, [], "Location: /up/1");
                case "PUT" when !isBroken:
                    isBroken = true;
                    return new Answer(503, []);
                case "GET": return new Answer(204, [], "Range: 0-9999", "Location: /up/2");
                case "PATCH": return new Answer(202, [], "Location: /up/3?x=y");
                default: return new Answer(201, []);
            }
        });
        Assert.Equal(PushOutcome.Uploaded, await PushAsync(server.Host));
        Seen[] rest = [.. server.Requests.SkipWhile(seen => seen.Method != "GET")];
        Assert.Equal(["/up/1", "/up/2", $"/up/3?x=y&digest={Uri.EscapeDataString(Layer.Digest.ToString())}"], rest.Select(seen => seen.Target));
        Assert.Equal($"10000-{Blob.Length - 1}", rest[1]["Content-Range"]);
        Assert.Equal(Encoding.ASCII.GetString(Blob)[10_000..], rest[1]["body"]);
        Assert.Equal("", rest[2]["body"]);
    }

    [Fact]
    public async Task An_upload_that_the_registry_forgot_begins_anew()
    {
        int begun = 0;
        using var server = new ScriptedServer(seen => seen.Method switch
        {
            "HEAD" or "GET" => new Answer(404, []),
            "POST" => new Answer(202, [], $"Location: /up/{++begun}"),
            _ => new Answer(begun == 1 ? 500 : 201, []),
        });
        Assert.Equal(PushOutcome.Uploaded, await PushAsync(server.Host));
        Assert.Equal(Encoding.ASCII.GetString(Blob), server.Requests.Last()["body"]);
    }

    [Fact]
    public async Task An_upload_that_always_breaks_off_is_given_up()
    {
        using var server = new ScriptedServer(seen => seen.Method switch
        {
            "HEAD" => new Answer(404, []),
            "POST" => new Answer(202, [], "Location: /up/1"),
            _ => new Answer(500, []),
        });
        Assert.Equal(
            $"unexpected status from PUT request to http://{server.Host}/up/1: 500 Internal Server Error",
            await RefusalAsync(() => PushAsync(server.Host)));
        Assert.Equal(3, server.Requests.Count(seen => seen.Method == "PUT"));
    }

    [Fact]
    public async Task An_upload_to_another_host_takes_no_credentials_there()
    {
        string basic = "Basic " + Convert.ToBase64String("u:p"u8);
        using var storage = new ScriptedServer(_ => new Answer(201, []));
        using var server = new ScriptedServer(seen => seen["Authorization"] != basic
            ? new Answer(401, [], "WWW-Authenticate: Basic realm=\"r\"")
            : seen.Method == "HEAD" ? new Answer(404, []) : new Answer(202, [], $"Location: http://{storage.Host}/up?signature=s"));
        WriteHosts(server.Host, $"server = \"http://{server.Host}\"\n[header]\nx-key = \"k\"");
        Assert.Equal(PushOutcome.Uploaded, await PushAsync(
            server.Host, credentials: CredentialStores.For(server.Host, new Credentials { Username = "u", Secret = "p" })));
        Assert.Equal("k", server.Requests.Last()["x-key"]);
        Seen put = Assert.Single(storage.Requests);
        Assert.Equal(("PUT", null, null), (put.Method, put["Authorization"], put["x-key"]));
    }

    [Fact]
    public async Task Another_digest_in_the_answer_is_refused()
    {
        using var server = new ScriptedServer(seen => seen.Method switch
        {
            "HEAD" => new Answer(404, []),
            "POST" => new Answer(202, [], "Location: /up/1"),
            _ => new Answer(201, [], $"Docker-Content-Digest: {Manifest.Digest}"),
        });
        Assert.Equal($"got digest {Manifest.Digest}, expected {Layer.Digest}", await RefusalAsync(() => PushAsync(server.Host)));
    }

    [Fact]
    public async Task Who_may_not_push_is_told_so()
    {
        ScriptedServer? self = null;
        using var server = new ScriptedServer(seen => seen.Target.StartsWith("/token", StringComparison.Ordinal)
            ? new Answer(200, "{\"token\":\"t\"}"u8.ToArray())
            : new Answer(401, [], $"WWW-Authenticate: Bearer realm=\"http://{self!.Host}/token\",error=\"insufficient_scope\""));
        self = server;
        Assert.StartsWith(
            "push access denied, repository does not exist or may require authorization: ",
            await RefusalAsync(() => PushAsync(server.Host)),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_a_host_with_the_capability_is_pushed_to()
    {
        using var mirror = new ScriptedServer(_ => new Answer(500, []));
        using var server = new ScriptedServer(_ => new Answer(200, []));
        WriteHosts("example.test", $"""
            server = "http://{server.Host}"
            [host."http://{mirror.Host}"]
              capabilities = ["pull", "resolve"]
            """);
        Assert.Equal(PushOutcome.Existed, await PushAsync("example.test"));
        Assert.Empty(mirror.Requests);

        WriteHosts("example.test", $"""
            server = ""
            [host."http://{mirror.Host}"]
              capabilities = ["pull", "resolve"]
            """);
        Assert.Equal("no push hosts: not found", await RefusalAsync(() => PushAsync("example.test")));
    }

    private void WriteHosts(string host, string text)
    {
        Directory.CreateDirectory(Path.Combine(_directory, host));
        File.WriteAllText(Path.Combine(_directory, host, "hosts.toml"), text);
    }

    private PushSession Open(string host, ICredentialStore? credentials = null) => new RegistryClient(
        new RegistrySettings { BackoffFirst = TimeSpan.FromMilliseconds(1), AttemptsMax = 3, HostsDirectory = _directory })
        .OpenPush(ImageReference.Parse($"{host}/a/b:t"), credentials);

    private async Task<PushOutcome> PushAsync(string host, string? mountFrom = null, ICredentialStore? credentials = null)
    {
        using PushSession session = Open(host, credentials);
        return await session.PushBlobAsync(Layer, mountFrom, offset => new MemoryStream(Blob[(int)offset..]), _progress.Enqueue, _deadline.Token);
    }

    private static async Task<string> RefusalAsync(Func<Task> act) => (await Assert.ThrowsAsync<RefusedException>(act)).Error.Text;
}
