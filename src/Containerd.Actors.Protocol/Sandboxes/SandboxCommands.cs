// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Messages;

namespace Containerd.Actors.Protocol.Sandboxes;

/// <summary>Requests that change a sandbox's record; what runs is asked for by <see cref="SandboxControl"/>.</summary>
public static class SandboxCommands
{
    /// <summary>Makes a record; answered with it as it was stored.</summary>
    /// <param name="Namespace">Namespace of the sandbox.</param>
    /// <param name="Sandbox">The record; its times are ignored.</param>
    /// <param name="By">Who asks.</param>
    public sealed record Create(string Namespace, SandboxRecord Sandbox, Caller By) : IRequest<SandboxRecord>, IForSandbox
    {
        /// <inheritdoc />
        public string SandboxId => Sandbox.Id;
    }

    /// <summary>Changes a record; answered with it as it is then.</summary>
    /// <param name="Namespace">Namespace of the sandbox.</param>
    /// <param name="Sandbox">The new values.</param>
    /// <param name="Mask">
    /// Paths of the fields to take over: <c>labels</c>, <c>labels.K</c>, <c>extensions</c>, <c>extensions.K</c>, <c>runtime</c>,
    /// <c>spec</c>; empty for all of them.
    /// </param>
    /// <param name="By">Who asks.</param>
    public sealed record Update(string Namespace, SandboxRecord Sandbox, ImmutableArray<string> Mask, Caller By)
        : IRequest<SandboxRecord>, IForSandbox
    {
        /// <inheritdoc />
        public string SandboxId => Sandbox.Id;
    }

    /// <summary>Forgets a record; a sandbox that runs goes on.</summary>
    public sealed record Delete(string Namespace, string SandboxId, Caller By) : IRequest<Nothing>, IForSandbox;
}

/// <summary>Questions about sandboxes' records; they never wait for a shim.</summary>
public static class SandboxQueries
{
    /// <summary>One record.</summary>
    public sealed record Get(string Namespace, string SandboxId, Caller By) : IRequest<SandboxRecord>, IForSandbox;

    /// <summary>All records of a namespace, sorted by the byte order of their ids.</summary>
    public sealed record List(string Namespace, Caller By) : IRequest<ImmutableArray<SandboxRecord>>, IInNamespace;
}
