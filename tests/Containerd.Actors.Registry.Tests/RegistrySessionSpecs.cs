// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Oci.References;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Registry.Authentication;

namespace Containerd.Actors.Registry.Tests;

public sealed class RegistrySessionSpecs : IDisposable
{
    private static readonly byte[] ManifestBytes = Encoding.UTF8.GetBytes(
        $$"""{"schemaVersion":2,"config":{"mediaType":"{{MediaTypes.OciConfig}}","digest":"{{Digest.Of("c"u8)}}","size":1},"layers":[]}""");

    private static readonly byte[] Blob = RandomNumberGenerator.GetBytes(100_000);
    private static readonly Descriptor BlobDescriptor = new(MediaTypes.OciLayer, Digest.Of(Blob), Blob.Length);
    private static readonly Answer Manifest = new(200, ManifestBytes, $"Content-Type: {MediaTypes.OciManifest}", "Docker-Content-Digest: sha256:lie");

    private readonly string _directory = Directory.CreateTempSubdirectory("registry-").FullName;
    private readonly CancellationTokenSource _deadline = new(TimeSpan.FromSeconds(30));

    private RegistrySettings Settings => new()
    {
        BackoffFirst = TimeSpan.FromMilliseconds(1),
        AttemptsMax = 3,
        HostsDirectory = _directory,
        IdleTimeout = TimeSpan.FromSeconds(10),
    };

    public void Dispose()
    {
        Directory.Delete(_directory, recursive: true);
        _deadline.Dispose();
    }

    [Fact]
    public async Task The_digest_is_that_of_the_body_and_plain_http_is_found_on_loopback()
    {
        using var server = new ScriptedServer(_ => Manifest);
        using RegistrySession session = Open(server.Host);
        Descriptor resolved = (await session.ResolveAsync(_deadline.Token)).Descriptor;
        Assert.Equal(new Descriptor(MediaTypes.OciManifest, Digest.Of(ManifestBytes), ManifestBytes.Length), resolved);
        Assert.Equal(ManifestBytes, await session.FetchManifestAsync(resolved, _deadline.Token));
        Assert.Equal(["HEAD", "GET"], server.Requests.Select(seen => seen.Method));
    }

    [Fact]
    public async Task A_missing_image_is_not_found()
    {
        using var server = new ScriptedServer(_ => new Answer(404, []));
        Assert.Equal(
            $"failed to resolve reference \"{server.Host}/a/b:t\": {server.Host}/a/b:t: not found", await Refusal(server.Host));
    }

    [Fact]
    public async Task An_unexpected_status_is_told_with_its_url()
    {
        using var server = new ScriptedServer(_ => new Answer(401, []));
        Assert.Equal(
            $"failed to resolve reference \"{server.Host}/a/b:t\": unexpected status from HEAD request to http://{server.Host}/v2/a/b/manifests/t: 401 Unauthorized",
            await Refusal(server.Host));
    }

    [Fact]
    public async Task A_refused_connection_is_told_so()
    {
        using var closed = new TcpListener(IPAddress.Loopback, 0);
        closed.Start();
        string host = closed.LocalEndpoint.ToString()!;
        closed.Stop();
        Assert.Contains("connect: connection refused", await Refusal(host), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_is_fetched_used_and_renewed_when_refused()
    {
        int tokens = 0;
        using var server = new ScriptedServer(_ => new Answer(500, []));
        ScriptedServer? self = null;
        using var registry = new ScriptedServer(seen => seen.Target.StartsWith("/token", StringComparison.Ordinal)
            ? new Answer(200, Encoding.UTF8.GetBytes($$"""{"token":"t{{++tokens}}","expires_in":300}"""))
            : seen["Authorization"] == $"Bearer t{tokens}" && !(tokens == 1 && seen.Method == "GET")
                ? Manifest
                : new Answer(401, [], $"WWW-Authenticate: Bearer realm=\"http://{self!.Host}/token\",service=\"s\",scope=\"repository:a/b:pull\""));
        self = registry;
        using RegistrySession session = Open(registry.Host);
        await session.ResolveAsync(_deadline.Token);
        Assert.Equal(2, tokens);
        Assert.Contains(registry.Requests, seen => seen.Target == "/token?service=s&scope=repository%3Aa%2Fb%3Apull");
    }

    [Fact]
    public async Task An_identity_token_is_exchanged_by_a_form_and_never_told()
    {
        ScriptedServer? self = null;
        using var server = new ScriptedServer(seen => seen.Target == "/token"
            ? new Answer(403, [])
            : new Answer(401, [], $"WWW-Authenticate: Bearer realm=\"http://{self!.Host}/token\""));
        self = server;
        string refusal = await Refusal(server.Host, CredentialStores.For(server.Host, new Credentials { IdentityToken = "hunter2" }));
        Assert.Contains("failed to fetch oauth token: unexpected status from POST request to", refusal, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", refusal, StringComparison.Ordinal);
        Assert.Contains("refresh_token=hunter2", server.Requests.First(seen => seen.Method == "POST")["body"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Basic_credentials_are_sent_when_asked_for()
    {
        string expected = "Basic " + Convert.ToBase64String("u:p"u8);
        using var server = new ScriptedServer(seen => seen["Authorization"] == expected ? Manifest : new Answer(401, [], "WWW-Authenticate: Basic realm=\"r\""));
        using RegistrySession session = Open(server.Host, CredentialStores.For(server.Host, new Credentials { Username = "u", Secret = "p" }));
        await session.ResolveAsync(_deadline.Token);
        Assert.Null(server.Requests.First()["Authorization"]);
    }

    [Fact]
    public async Task A_redirect_takes_no_credentials_to_another_host()
    {
        using var storage = new ScriptedServer(_ => new Answer(200, Blob));
        using var server = new ScriptedServer(seen => seen["Authorization"] is null
            ? new Answer(401, [], "WWW-Authenticate: Basic realm=\"r\"")
            : new Answer(307, [], $"Location: http://{storage.Host}/blob?signature=secret"));
        using RegistrySession session = Open(server.Host, CredentialStores.For(server.Host, new Credentials { Username = "u", Secret = "p" }));
        Assert.Equal(Blob, await ReadAsync(session, 0));
        Assert.Null(Assert.Single(storage.Requests)["Authorization"]);
    }

    [Fact]
    public async Task Server_errors_are_retried()
    {
        int requests = 0;
        using var server = new ScriptedServer(_ => ++requests < 3 ? new Answer(503, []) : Manifest);
        using RegistrySession session = Open(server.Host);
        await session.ResolveAsync(_deadline.Token);
        Assert.Equal(4, requests);
    }

    [Fact]
    public async Task A_busy_registry_is_left_alone_as_long_as_it_asks()
    {
        int requests = 0;
        var time = new ManualTime();
        using var server = new ScriptedServer(_ => ++requests == 1 ? new Answer(429, [], "Retry-After: 7") : Manifest);
        using RegistrySession session = new RegistryClient(Settings, time).Open(ImageReference.Parse($"{server.Host}/a/b:t"));
        Task<ResolvedImage> resolving = session.ResolveAsync(_deadline.Token);
        await time.TimerOf(TimeSpan.FromSeconds(7)).WaitAsync(_deadline.Token);
        Assert.Equal(1, requests);
        time.Fire(TimeSpan.FromSeconds(7));
        await resolving;
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_blob_is_resumed_at_an_offset(bool knowsRanges)
    {
        using var server = new ScriptedServer(seen => knowsRanges && seen["Range"] == "bytes=60000-"
            ? new Answer(206, Blob[60_000..], $"Content-Range: bytes 60000-99999/{Blob.Length}")
            : new Answer(200, Blob));
        using RegistrySession session = Open(server.Host);
        Assert.Equal(Blob[60_000..], await ReadAsync(session, 60_000));
    }

    [Fact]
    public async Task A_body_that_breaks_off_is_continued()
    {
        using var server = new ScriptedServer(seen => seen["Range"] == "bytes=40000-"
            ? new Answer(206, Blob[40_000..], $"Content-Range: bytes 40000-99999/{Blob.Length}")
            : new Answer(200, Blob[..40_000]) { ContentLength = Blob.Length });
        using RegistrySession session = Open(server.Host);
        Assert.Equal(Blob, await ReadAsync(session, 0));
    }

    [Fact]
    public async Task A_body_that_always_breaks_off_is_given_up()
    {
        using var server = new ScriptedServer(_ => new Answer(200, Blob[..10]) { ContentLength = Blob.Length });
        using RegistrySession session = Open(server.Host);
        var refused = await Assert.ThrowsAsync<RefusedException>(() => ReadAsync(session, 0));
        Assert.Contains("unexpected EOF", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_silent_body_is_given_up()
    {
        using var server = new ScriptedServer(_ => new Answer(200, Blob[..10]) { ContentLength = Blob.Length, Hangs = true });
        using RegistrySession session = new RegistryClient(Settings with { IdleTimeout = TimeSpan.FromMilliseconds(50) })
            .Open(ImageReference.Parse($"{server.Host}/a/b:t"));
        var refused = await Assert.ThrowsAsync<RefusedException>(() => ReadAsync(session, 0));
        Assert.Contains("i/o timeout", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_length_or_range_is_refused()
    {
        using var longer = new ScriptedServer(_ => new Answer(200, [.. Blob, 0]));
        using RegistrySession first = Open(longer.Host);
        var refused = await Assert.ThrowsAsync<RefusedException>(() => ReadAsync(first, 0));
        Assert.Contains($"failed size validation: {Blob.Length + 1} != {Blob.Length}", refused.Message, StringComparison.Ordinal);

        using var shifted = new ScriptedServer(_ => new Answer(206, Blob[1..], $"Content-Range: bytes 1-99999/{Blob.Length}"));
        using RegistrySession second = Open(shifted.Host);
        await Assert.ThrowsAsync<RefusedException>(() => ReadAsync(second, 5));
    }

    [Fact]
    public async Task A_manifest_with_another_digest_or_over_the_limit_is_refused()
    {
        using var server = new ScriptedServer(_ => Manifest);
        using RegistrySession session = Open(server.Host);
        var other = new Descriptor(MediaTypes.OciManifest, Digest.Of("other"u8), ManifestBytes.Length);
        var refused = await Assert.ThrowsAsync<RefusedException>(() => session.FetchManifestAsync(other, _deadline.Token));
        Assert.Equal(ErrorKind.FailedPrecondition, refused.Error.Kind);

        using RegistrySession small = new RegistryClient(Settings with { ManifestBytesMax = 10 }).Open(ImageReference.Parse($"{server.Host}/a/b:t"));
        refused = await Assert.ThrowsAsync<RefusedException>(() => small.ResolveAsync(_deadline.Token));
        Assert.Equal(ErrorKind.ResourceExhausted, refused.Error.Kind);
    }

    [Fact]
    public async Task Mirrors_are_asked_in_order_then_the_server()
    {
        using var empty = new ScriptedServer(_ => new Answer(404, []));
        using var broken = new ScriptedServer(_ => new Answer(403, []));
        using var server = new ScriptedServer(_ => Manifest);
        WriteHosts("example.test", $"""
            server = "http://{server.Host}"
            [host."http://{empty.Host}"]
            [host."http://{broken.Host}"]
              capabilities = ["pull", "resolve"]
              [host."http://{broken.Host}".header]
                x-key = "k"
            """);
        using RegistrySession session = Open("example.test");
        Assert.Equal(server.Host, (await session.ResolveAsync(_deadline.Token)).Host.Authority);
        Assert.Equal("/v2/a/b/manifests/t?ns=example.test", empty.Requests.First().Target);
        Assert.Equal("k", broken.Requests.First()["x-key"]);
        Assert.Null(server.Requests.First()["x-key"]);
    }

    [Fact]
    public async Task A_private_authority_of_hosts_toml_is_trusted_and_no_other()
    {
        using X509Certificate2 certificate = Certificate();
        using var server = new ScriptedServer(_ => Manifest, certificate);
        Assert.Contains("certificate signed by unknown authority", await Refusal(server.Host), StringComparison.Ordinal);

        WriteHosts(server.Host, $"server = \"https://{server.Host}\"\nca = \"ca.pem\"");
        await File.WriteAllTextAsync(Path.Combine(_directory, server.Host, "ca.pem"), certificate.ExportCertificatePem());
        using RegistrySession session = Open(server.Host);
        await session.ResolveAsync(_deadline.Token);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Certificates_beside_or_in_hosts_toml_are_shown_to_a_host_that_asks(bool hasFile)
    {
        using X509Certificate2 certificate = Certificate();
        string? shown = null;
        using var server = new ScriptedServer(_ => Manifest, certificate, client => shown = client.Thumbprint);
        string place = Path.Combine(_directory, server.Host.Replace(':', '_') + "_");
        Directory.CreateDirectory(place);
        await File.WriteAllTextAsync(Path.Combine(place, "ca.crt"), certificate.ExportCertificatePem());
        await File.WriteAllTextAsync(Path.Combine(place, "me.cert"), certificate.ExportCertificatePem());
        await File.WriteAllTextAsync(Path.Combine(place, "me.key"), certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        if (hasFile)
        {
            await File.WriteAllTextAsync(
                Path.Combine(place, "hosts.toml"), $"server = \"https://{server.Host}\"\nca = \"ca.crt\"\nclient = [[\"me.cert\", \"me.key\"]]");
        }

        using RegistrySession session = Open(server.Host);
        await session.ResolveAsync(_deadline.Token);
        Assert.Equal(certificate.Thumbprint, shown);
    }

    [Fact]
    public void A_client_certificate_without_its_key_is_refused()
    {
        Directory.CreateDirectory(Path.Combine(_directory, "example.test"));
        File.WriteAllText(Path.Combine(_directory, "example.test", "me.cert"), "");
        Assert.Equal(
            "missing key me.key for client certificate me.cert. Note that CA certificates must use the extension .crt: invalid argument",
            Assert.Throws<RefusedException>(() => Open("example.test")).Message);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Referrers_are_found_by_the_api_and_without_one_by_their_tag(bool hasApi)
    {
        Digest subject = Digest.Of(ManifestBytes);
        var signature = new Descriptor(MediaTypes.OciManifest, Digest.Of("s"u8), 1) { ArtifactType = "application/signature" };
        var report = new Descriptor(MediaTypes.OciManifest, Digest.Of("r"u8), 1) { ArtifactType = "application/report" };
        byte[] index = ImageDocuments.Write(new Oci.Images.Index { MediaType = MediaTypes.OciIndex, Manifests = [signature, report] });
        string path = hasApi ? $"/v2/a/b/referrers/{subject}" : $"/v2/a/b/manifests/sha256-{subject.Hex}";
        using var server = new ScriptedServer(seen => seen.Target.StartsWith(path, StringComparison.Ordinal) ? new Answer(200, index) : new Answer(404, []));
        using RegistrySession session = Open(server.Host);
        Assert.Equal([signature.Digest, report.Digest], (await session.FetchReferrersAsync(subject, null, _deadline.Token)).Select(found => found.Digest));
        Assert.Equal(signature.Digest, Assert.Single(await session.FetchReferrersAsync(subject, "application/signature", _deadline.Token)).Digest);
        Assert.Contains(server.Requests, seen => seen.Target == $"/v2/a/b/referrers/{subject}?artifactType=application%2Fsignature");
    }

    [Fact]
    public async Task Nothing_refers_to_an_image_of_a_registry_that_knows_of_nothing_and_an_error_is_no_such_answer()
    {
        using var server = new ScriptedServer(_ => new Answer(404, []));
        using RegistrySession session = Open(server.Host);
        Assert.Empty(await session.FetchReferrersAsync(Digest.Of("x"u8), null, _deadline.Token));

        using var closed = new ScriptedServer(_ => new Answer(403, []));
        using RegistrySession refused = Open(closed.Host);
        await Assert.ThrowsAsync<RefusedException>(() => refused.FetchReferrersAsync(Digest.Of("x"u8), null, _deadline.Token));
    }

    private static X509Certificate2 Certificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=test", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using X509Certificate2 made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
    }

    private void WriteHosts(string host, string text)
    {
        Directory.CreateDirectory(Path.Combine(_directory, host));
        File.WriteAllText(Path.Combine(_directory, host, "hosts.toml"), text);
    }

    private RegistrySession Open(string host, ICredentialStore? credentials = null) =>
        new RegistryClient(Settings).Open(ImageReference.Parse($"{host}/a/b:t"), credentials);

    private async Task<string> Refusal(string host, ICredentialStore? credentials = null)
    {
        using RegistrySession session = Open(host, credentials);
        return (await Assert.ThrowsAsync<RefusedException>(() => session.ResolveAsync(_deadline.Token))).Error.Text;
    }

    private async Task<byte[]> ReadAsync(RegistrySession session, long offset)
    {
        await using Stream stream = await session.OpenBlobAsync(BlobDescriptor, offset, _deadline.Token);
        using var all = new MemoryStream();
        await stream.CopyToAsync(all, _deadline.Token);
        return all.ToArray();
    }
}
