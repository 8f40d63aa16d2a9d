// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Runtime.InteropServices;
using Containerd.Actors.Core.Filters;
using Containerd.Actors.Protocol.Errors;
using Containerd.Services.Introspection.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Containerd.Actors.Grpc.Introspection;

/// <summary>What the daemon is made of and what it can do.</summary>
/// <param name="facts">What the daemon says of itself.</param>
public sealed class IntrospectionService(NodeFacts facts) : Services.Introspection.V1.Introspection.IntrospectionBase
{
    /// <inheritdoc />
    public override Task<PluginsResponse> Plugins(PluginsRequest request, ServerCallContext context)
    {
        FilterSet filter = FilterSet.Parse(request.Filters);
        PluginsResponse response = new();
        response.Plugins.AddRange(facts.Plugins.Where(plugin => filter.Matches(Fields(plugin))).Select(ToWire));
        return Task.FromResult(response);
    }

    /// <inheritdoc />
    public override Task<ServerResponse> Server(Empty request, ServerCallContext context) =>
        Task.FromResult(new ServerResponse { Uuid = facts.Uuid, Pid = (ulong)facts.Pid, Pidns = facts.PidNamespace });

    /// <inheritdoc />
    public override Task<PluginInfoResponse> PluginInfo(PluginInfoRequest request, ServerCallContext context) =>
        facts.Plugins.FirstOrDefault(plugin => plugin.Type == request.Type && plugin.Id == request.Id) is { } plugin
            ? Task.FromResult(new PluginInfoResponse { Plugin = ToWire(plugin) })
            : throw new RefusedException(Error.Bare(ErrorKind.NotFound, $"plugin {request.Type}.{request.Id} not found: not found"));

    private static FieldAdaptor Fields(PluginFacts plugin) => (IReadOnlyList<string> path, out string value) =>
    {
        value = path is ["type"] ? plugin.Type : plugin.Id;
        return path is ["type"] or ["id"];
    };

    private static Plugin ToWire(PluginFacts facts)
    {
        Plugin plugin = new() { Type = facts.Type, Id = facts.Id };
        plugin.Capabilities.AddRange(facts.Capabilities);
        plugin.Exports.Add(facts.Exports);
        plugin.Platforms.Add(facts.Platforms.IsEmpty
            ? [new Types.Platform { Os = "linux", Architecture = Architecture() }]
            : facts.Platforms.Select(Platform));
        if (facts.InitError.Length > 0)
        {
            plugin.InitErr = new Google.Rpc.Status { Code = (int)StatusCode.Unknown, Message = facts.InitError };
        }

        return plugin;
    }

    private static Types.Platform Platform(string text)
    {
        string[] parts = text.Split('/');
        return new Types.Platform { Os = parts[0], Architecture = parts.ElementAtOrDefault(1) ?? "", Variant = parts.ElementAtOrDefault(2) ?? "" };
    }

    // Go's words for architectures, which clients compare with.
    private static string Architecture() => RuntimeInformation.ProcessArchitecture switch
    {
        System.Runtime.InteropServices.Architecture.X64 => "amd64",
        System.Runtime.InteropServices.Architecture.X86 => "386",
        { } other => other.ToString().ToLower(CultureInfo.InvariantCulture),
    };
}
