// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Grpc.Core;

namespace Containerd.Actors.Integration.Tests;

/// <summary>Bytes that no client of good will would send.</summary>
public sealed class HostileInputSpecs(Machine machine) : IClassFixture<Machine>
{
    private static readonly byte[] Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray();

    [SkippableTheory]
    [InlineData("", "nothing at all")]
    [InlineData("", "GET / HTTP/1.1\r\nHost: x\r\n\r\n")]
    [InlineData(".ttrpc", "GET / HTTP/1.1\r\nHost: x\r\n\r\n")]
    [InlineData(".ttrpc", "\u007f\u007f\u007f\u007f\u0001\u0001\u0001\u0001\u0001\u0001")]
    public async Task A_connection_that_speaks_something_else_is_closed_and_the_daemon_serves_on(string suffix, string bytes)
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        await SendAsync(machine.Socket + suffix, Encoding.Latin1.GetBytes(bytes));
        Assert.Equal(0, (await machine.CtrAsync("version")).Status);
    }

    // RFC 9113, section 4.1: length, type, flags, stream.
    [SkippableTheory]
    [InlineData(new byte[] { 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01 })]
    [InlineData(new byte[] { 0x00, 0x00, 0x05, 0x01, 0x04, 0x00, 0x00, 0x00, 0x01, 0xff, 0xff, 0xff, 0xff, 0xff })]
    [InlineData(new byte[] { 0x00, 0x00, 0x04, 0x03, 0x00, 0x00, 0x00, 0x00, 0x09, 0x00 })]
    public async Task Broken_frames_end_their_own_connection_only(byte[] frame)
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        await SendAsync(machine.Socket, [.. Preface, .. frame]);
        Assert.Equal(0, (await machine.CtrAsync("version")).Status);
    }

    [SkippableFact]
    public async Task A_request_that_is_no_message_and_one_that_is_too_large_are_refused()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        Assert.NotEqual(StatusCode.OK, await CallAsync([0xff, 0xff, 0xff, 0xff], 4));
        Assert.NotEqual(StatusCode.OK, await CallAsync([0x0a], uint.MaxValue));
        Assert.Equal(StatusCode.ResourceExhausted, await CallAsync(new byte[(16 << 20) + 1], (16 << 20) + 1));
        Assert.Equal(StatusCode.OK, await CallAsync("\u000a\u0007default"u8.ToArray(), 9));
        Assert.Equal(0, (await machine.CtrAsync("version")).Status);
    }

    [SkippableTheory]
    [InlineData("/runtime.v1.RuntimeService/Version", "unknown service runtime.v1.RuntimeService")]
    [InlineData("/containerd.services.version.v1.Version/Other", "unknown method Other for service containerd.services.version.v1.Version")]
    [InlineData("/version", "malformed method name: \"/version\"")]
    public async Task What_there_is_not_is_refused_in_the_words_of_containerd(string path, string message)
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        using HttpClient client = Client();
        using HttpRequestMessage request = Request(path, [0, 0, 0, 0, 0]);
        using HttpResponseMessage response = await client.SendAsync(request);
        Assert.Equal($"{(int)StatusCode.Unimplemented}", response.Headers.GetValues("grpc-status").Single());
        Assert.Equal(message, Uri.UnescapeDataString(response.Headers.GetValues("grpc-message").Single()));
        Assert.Empty(await response.Content.ReadAsByteArrayAsync());
    }

    [SkippableFact]
    public async Task A_request_that_is_not_of_gRPC_is_refused()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        using HttpClient client = Client();
        using HttpRequestMessage request = Request("/containerd.services.version.v1.Version/Version", [0, 0, 0, 0, 0], "application/json");
        using HttpResponseMessage response = await client.SendAsync(request);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, response.StatusCode);
    }

    // A gRPC message is a flag of compression, a length, and bytes; here the length may lie.
    private async Task<StatusCode> CallAsync(byte[] message, uint claimed)
    {
        using HttpClient client = Client();
        byte[] prefix = new byte[5];
        BinaryPrimitives.WriteUInt32BigEndian(prefix.AsSpan(1), claimed);
        using HttpRequestMessage request = Request("/containerd.services.namespaces.v1.Namespaces/Get", [.. prefix, .. message]);
        using HttpResponseMessage response = await client.SendAsync(request);
        await response.Content.ReadAsByteArrayAsync();
        IEnumerable<string>? status = null;
        Assert.True(response.TrailingHeaders.TryGetValues("grpc-status", out status) || response.Headers.TryGetValues("grpc-status", out status));
        return (StatusCode)int.Parse(status.Single(), CultureInfo.InvariantCulture);
    }

    private HttpClient Client()
    {
        SocketsHttpHandler handler = new()
        {
            ConnectCallback = async (_, cancellation) =>
            {
                Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(machine.Socket), cancellation);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        return new HttpClient(handler) { Timeout = TimeSpan.FromSeconds(30) };
    }

    private static HttpRequestMessage Request(string path, byte[] body, string type = "application/grpc") => new(HttpMethod.Post, $"http://localhost{path}")
    {
        Version = HttpVersion.Version20,
        VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue(type) } },
    };

    // Sends, and waits until the other side has closed.
    private static async Task SendAsync(string path, byte[] bytes)
    {
        using CancellationTokenSource impatience = new(TimeSpan.FromSeconds(30));
        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), impatience.Token);
        await socket.SendAsync(bytes, impatience.Token);
        socket.Shutdown(SocketShutdown.Send);
        byte[] answer = new byte[4096];
        try
        {
            while (await socket.ReceiveAsync(answer, impatience.Token) > 0)
            {
            }
        }
        catch (SocketException)
        {
            // Reset: closed all the same.
        }
    }
}
