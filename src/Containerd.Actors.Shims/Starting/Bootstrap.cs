// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Runtime.Bootstrap.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Containerd.Actors.Shims.Starting;

/// <summary>What a shim's executable is started with: arguments, environment, input. Pure.</summary>
public static class Bootstrap
{
    /// <summary>Input of the <c>start</c> action; flags and environment say the same to shims that do not read it.</summary>
    public static byte[] Input(BootstrapForm form, ShimSettings settings, string ns, string id, Any? options)
    {
        ArgumentNullException.ThrowIfNull(settings);
        return form == BootstrapForm.Options ? options?.ToByteArray() ?? [] : Parameters(settings, ns, id, options).ToByteArray();
    }

    /// <summary>What shims are told since containerd 2.3.</summary>
    public static BootstrapParams Parameters(ShimSettings settings, string ns, string id, Any? options)
    {
        ArgumentNullException.ThrowIfNull(settings);
        var bootstrap = new BootstrapParams
        {
            InstanceId = id,
            Namespace = ns,
            LogLevel = settings.LogLevel,
            ContainerdVersion = settings.ContainerdVersion,
            ContainerdTtrpcAddress = settings.TtrpcAddress,
            ContainerdGrpcAddress = settings.GrpcAddress,
            ContainerdBinary = settings.DaemonBinary,
        };
        if (settings.SocketDirectory.Length > 0)
        {
            bootstrap.SocketDir = settings.SocketDirectory;
        }

        if (options is not null)
        {
            bootstrap.Extensions.Add(new Containerd.Runtime.Bootstrap.V1.Extension { Value = options });
        }

        return bootstrap;
    }

    /// <summary>Arguments of an action, the zeroth included; <paramref name="bundle"/> only for <c>delete</c>.</summary>
    public static ImmutableArray<string> Arguments(
        string binary, ShimSettings settings, string ns, string id, string action, string? bundle = null)
    {
        ArgumentNullException.ThrowIfNull(settings);
        var arguments = ImmutableArray.CreateBuilder<string>();
        arguments.AddRange(
            binary, "-namespace", ns, "-address", settings.GrpcAddress, "-publish-binary", settings.DaemonBinary, "-id", id);
        if (bundle is not null)
        {
            arguments.AddRange("-bundle", bundle);
        }

        if (settings.IsDebug)
        {
            arguments.Add("-debug");
        }

        arguments.Add(action);
        return arguments.ToImmutable();
    }

    /// <summary>The daemon's environment with a shim's variables put over it; a shim that waits for its task gets no namespace yet.</summary>
    public static ImmutableArray<string> Environment(ShimSettings settings, string? ns)
    {
        ArgumentNullException.ThrowIfNull(settings);
        string[] added =
        [
            "GOMAXPROCS=2",
            "MAX_SHIM_VERSION=2", // containerd's constant; version 3 is used all the same.
            $"TTRPC_ADDRESS={settings.TtrpcAddress}",
            $"GRPC_ADDRESS={settings.GrpcAddress}",
            .. ns is null ? Array.Empty<string>() : [$"NAMESPACE={ns}"],
            .. settings.ShimEnvironment,
        ];
        var variables = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var variable in settings.Environment.Concat(added))
        {
            variables[variable.Split('=', 2)[0]] = variable;
        }

        return [.. variables.Values];
    }
}
