// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Containerd.Actors.Registry.Tests;

/// <summary>What the scripted server saw.</summary>
internal sealed record Seen(string Method, string Target, IReadOnlyDictionary<string, string> Headers)
{
    public string? this[string header] => Headers.GetValueOrDefault(header);
}

/// <summary>What the scripted server answers: any bytes at all, so that answers may also be wrong.</summary>
internal sealed record Answer(int Status, byte[] Body, params string[] Headers)
{
    /// <summary>In place of the body's length.</summary>
    public long? ContentLength { get; init; }

    /// <summary>True to keep the connection open behind the body and send no more.</summary>
    public bool Hangs { get; init; }
}

/// <summary>A server on a loopback port that answers each request as a test says; one request for each connection.</summary>
internal sealed class ScriptedServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Func<Seen, Answer> _script;
    private readonly X509Certificate2? _certificate;
    private readonly Action<X509Certificate2>? _client;

    /// <param name="script">What to answer.</param>
    /// <param name="certificate">Speaks TLS with it.</param>
    /// <param name="client">Asks for a certificate of the client, and is told which.</param>
    public ScriptedServer(Func<Seen, Answer> script, X509Certificate2? certificate = null, Action<X509Certificate2>? client = null)
    {
        _script = script;
        _client = client;
        _certificate = certificate;
        _listener.Start();
        _ = AcceptAsync();
    }

    public string Host => $"127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    public ConcurrentQueue<Seen> Requests { get; } = new();

    public void Dispose()
    {
        _stop.Cancel();
        _listener.Dispose();
    }

    private bool Show(X509Certificate? shown)
    {
        if (shown is X509Certificate2 known)
        {
            _client?.Invoke(known);
        }

        return true;
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token));
            }
        }
        catch (Exception stopped) when (stopped is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using TcpClient owned = client;
        try
        {
            Stream stream = client.GetStream();
            if (_certificate is not null)
            {
                var tls = new SslStream(stream, false, (_, shown, _, _) => Show(shown));
                await tls.AuthenticateAsServerAsync(_certificate, clientCertificateRequired: _client is not null, checkCertificateRevocation: false);
                stream = tls;
            }

            using var reader = new StreamReader(stream, Encoding.ASCII, leaveOpen: true);
            string[] line = (await reader.ReadLineAsync(_stop.Token) ?? "").Split(' ');
            if (line.Length < 2 || !line[^1].StartsWith("HTTP/", StringComparison.Ordinal))
            {
                await stream.WriteAsync("HTTP/1.0 400 Bad Request\r\n\r\n"u8.ToArray());
                return;
            }

            var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
            while (await reader.ReadLineAsync(_stop.Token) is { Length: > 0 } header)
            {
                headers[header.Split(": ")[0]] = header.Split(": ", 2)[1];
            }

            if (headers.TryGetValue("Content-Length", out string? length))
            {
                var body = new char[int.Parse(length, System.Globalization.CultureInfo.InvariantCulture)];
                await (body.Length > 0 ? reader.ReadBlockAsync(body, _stop.Token) : ValueTask.FromResult(0));
                headers["body"] = new string(body);
            }

            var seen = new Seen(line[0], line[1], headers);
            Requests.Enqueue(seen);
            Answer answer = _script(seen);
            string head = $"HTTP/1.1 {answer.Status} X\r\nConnection: close\r\nContent-Length: {answer.ContentLength ?? answer.Body.Length}\r\n"
                + string.Concat(answer.Headers.Select(header => header + "\r\n")) + "\r\n";
            await stream.WriteAsync(Encoding.ASCII.GetBytes(head));
            if (seen.Method != "HEAD")
            {
                await stream.WriteAsync(answer.Body);
            }

            await stream.FlushAsync();
            if (answer.Hangs)
            {
                await Task.Delay(Timeout.Infinite, _stop.Token);
            }

            client.Client.Shutdown(SocketShutdown.Send);
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException or SocketException or System.Security.Authentication.AuthenticationException)
        {
            // The client left, or the test is over.
        }
    }
}
