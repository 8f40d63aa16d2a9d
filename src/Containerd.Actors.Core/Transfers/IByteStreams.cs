// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Core.Transfers;

/// <summary>Finds the open connections by which archives come and go; messages carry their ids only.</summary>
public interface IByteStreams
{
    /// <summary>The bytes that a client sends. Disposing it tells the client that no more are wanted.</summary>
    /// <exception cref="Protocol.Errors.RefusedException">There is no such stream.</exception>
    Stream OpenRead(string ns, string id);

    /// <summary>Where a client reads. Disposing it tells the client that it has all.</summary>
    /// <exception cref="Protocol.Errors.RefusedException">There is no such stream.</exception>
    Stream OpenWrite(string ns, string id);
}
