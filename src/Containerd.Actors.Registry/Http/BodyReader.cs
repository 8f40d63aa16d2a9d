// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Protocol.Errors;

namespace Containerd.Actors.Registry.Http;

/// <summary>Reads the body of one response, each read bounded in time.</summary>
internal sealed class BodyReader : IAsyncDisposable
{
    private readonly HttpResponseMessage _response;
    private readonly Stream _body;
    private readonly TimeSpan _idleTimeout;
    private readonly CancellationTokenSource _idle;

    private BodyReader(HttpResponseMessage response, Stream body, TimeSpan idleTimeout, TimeProvider time)
    {
        _response = response;
        _body = body;
        _idleTimeout = idleTimeout;
        _idle = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
    }

    /// <summary>Takes over the response.</summary>
    public static async Task<BodyReader> OpenAsync(
        HttpResponseMessage response, TimeSpan idleTimeout, TimeProvider time, CancellationToken cancellationToken) =>
        new(response, await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false), idleTimeout, time);

    /// <summary>Reads some bytes; 0 at the end.</summary>
    /// <exception cref="IdleTimeoutException">Nothing came in time; the body cannot be read on.</exception>
    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        CancellationTokenRegistration registration =
            cancellationToken.UnsafeRegister(static idle => ((CancellationTokenSource)idle!).Cancel(), _idle);
        try
        {
            _idle.CancelAfter(_idleTimeout);
            int count = await _body.ReadAsync(buffer, _idle.Token).ConfigureAwait(false);
            _idle.CancelAfter(Timeout.InfiniteTimeSpan);
            return count;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new IdleTimeoutException();
        }
        catch (OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw;
        }
        finally
        {
            await registration.DisposeAsync().ConfigureAwait(false);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _body.DisposeAsync().ConfigureAwait(false);
        _response.Dispose();
        _idle.Dispose();
    }

    /// <summary>Reads a short body whole and closes the response.</summary>
    /// <exception cref="RefusedException">The body is longer than allowed.</exception>
    public static async Task<byte[]> ReadAllAsync(
        HttpResponseMessage response, int bytesMax, TimeSpan idleTimeout, TimeProvider time, CancellationToken cancellationToken)
    {
        if (response.Content.Headers.ContentLength > bytesMax)
        {
            throw TooLong(bytesMax);
        }

        BodyReader reader = await OpenAsync(response, idleTimeout, time, cancellationToken).ConfigureAwait(false);
        await using (reader.ConfigureAwait(false))
        {
            using var all = new MemoryStream();
            var buffer = new byte[16 * 1024];
            int count;
            while ((count = await reader.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
            {
                if (all.Length + count > bytesMax)
                {
                    throw TooLong(bytesMax);
                }

                all.Write(buffer, 0, count);
            }

            return all.ToArray();
        }
    }

    private static RefusedException TooLong(int bytesMax) =>
        new(new Error(ErrorKind.ResourceExhausted, $"response body exceeds the limit of {bytesMax} bytes"));
}
