// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Errors;
using Grpc.Core;
using Microsoft.AspNetCore.Connections.Features;

namespace Containerd.Actors.Grpc.Calls;

/// <summary>What a call carries beside its message.</summary>
public static class Call
{
    /// <summary>Key of <see cref="Principal"/> among the items of a connection; the host puts it there when it accepts.</summary>
    public const string PrincipalItem = "containerd-actors.principal";

    private const string NamespaceKey = "containerd-namespace";
    private const string LeaseKey = "containerd-lease";
    private const string OperationKey = "containerd-actors-operation";
    private const string TraceKey = "traceparent";

    /// <summary>The namespace of the call.</summary>
    /// <exception cref="RefusedException">None was given, or it is not a name.</exception>
    public static string Namespace(this ServerCallContext context)
    {
        string name = context.RequestHeaders.GetValue(NamespaceKey) ?? "";
        if (name.Length == 0)
        {
            throw new RefusedException(Error.FailedPrecondition("namespace is required"));
        }

        return Identifiers.Validate(name) is { } error ? throw new RefusedException(error.While("namespace validation")) : name;
    }

    /// <summary>The namespace of a call that needs none; empty without one.</summary>
    /// <exception cref="RefusedException">It is not a name.</exception>
    public static string NamespaceOrNone(this ServerCallContext context) =>
        string.IsNullOrEmpty(context.RequestHeaders.GetValue(NamespaceKey)) ? "" : context.Namespace();

    /// <summary>Who calls, as part of what.</summary>
    public static Caller Caller(this ServerCallContext context)
    {
        Principal principal = context.GetHttpContext().Features.Get<IConnectionItemsFeature>()?.Items[PrincipalItem] as Principal
            ?? throw new InvalidOperationException("the host named no principal for the connection");
        return new Caller(
            principal,
            context.RequestHeaders.GetValue(OperationKey) ?? "",
            context.RequestHeaders.GetValue(TraceKey) ?? "",
            context.RequestHeaders.GetValue(LeaseKey) ?? "");
    }
}
