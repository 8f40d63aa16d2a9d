// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Filters;
using Containerd.Actors.Grpc.Calls;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Runtimes;
using Containerd.Actors.Protocol.Values;
using Containerd.Services.Introspection.V1;
using Containerd.Types;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Containerd.Actors.Grpc.Introspection;

/// <summary>What the daemon is made of and what it can do.</summary>
/// <param name="facts">What the daemon says of itself.</param>
/// <param name="runtimes">The runtimes of the node.</param>
public sealed class IntrospectionService(NodeFacts facts, IRuntimes runtimes) : Services.Introspection.V1.Introspection.IntrospectionBase
{
    private const string RuntimeType = "io.containerd.runtime.v2";
    private const string RuntimeId = "task";

    /// <inheritdoc />
    public override Task<PluginsResponse> Plugins(PluginsRequest request, ServerCallContext context)
    {
        FilterSet filter = FilterSet.Parse(request.Filters);
        PluginsResponse response = new();
        response.Plugins.AddRange(facts.Plugins.Where(plugin => filter.Matches(Fields(plugin))).Select(ToWire));
        return Task.FromResult(response);
    }

    /// <summary>Who the daemon is. Nothing that containerd calls deprecated is served, hence no warnings.</summary>
    public override Task<ServerResponse> Server(Empty request, ServerCallContext context) =>
        Task.FromResult(new ServerResponse { Uuid = facts.Uuid, Pid = (ulong)facts.Pid, Pidns = facts.PidNamespace });

    /// <summary>One plugin; with options for the runtime's, what a runtime says of itself.</summary>
    public override async Task<PluginInfoResponse> PluginInfo(PluginInfoRequest request, ServerCallContext context)
    {
        PluginFacts plugin = facts.Plugins.FirstOrDefault(each => each.Type == request.Type && each.Id == request.Id)
            ?? throw new RefusedException(Error.Bare(ErrorKind.NotFound, $"plugin {request.Type}.{request.Id} not found: not found"));
        PluginInfoResponse response = new() { Plugin = ToWire(plugin) };
        if (request.Options is { } options && plugin is { Type: RuntimeType, Id: RuntimeId })
        {
            RuntimeRequest asked = Parse(options);
            AnyValue info = await runtimes.GetInfoAsync(asked.RuntimePath, asked.Options.ToValue(), context.CancellationToken).ConfigureAwait(false);
            response.Extra = info.ToAny();
        }

        return response;
    }

    private static RuntimeRequest Parse(Any options)
    {
        if (options.TypeUrl[(options.TypeUrl.LastIndexOf('/') + 1)..] != RuntimeRequest.Descriptor.FullName)
        {
            throw new RefusedException(Error.NotImplemented($"unknown request type {options.TypeUrl}"));
        }

        try
        {
            return RuntimeRequest.Parser.ParseFrom(options.Value);
        }
        catch (InvalidProtocolBufferException wrong)
        {
            throw new RefusedException(Error.Invalid($"{options.TypeUrl}: {wrong.Message}"), wrong);
        }
    }

    private static FieldAdaptor Fields(PluginFacts plugin) => (IReadOnlyList<string> path, out string value) =>
    {
        value = path switch
        {
            ["type"] => plugin.Type,
            ["id"] => plugin.Id,
            _ => "",
        };
        return value.Length > 0;
    };

    private static Plugin ToWire(PluginFacts facts)
    {
        Plugin plugin = new() { Type = facts.Type, Id = facts.Id };
        plugin.Requires.AddRange(facts.Requires);
        plugin.Capabilities.AddRange(facts.Capabilities);
        plugin.Exports.Add(facts.Exports);
        if (!facts.Platforms.IsEmpty)
        {
            plugin.Platforms.Add(facts.Platforms.Select(Platform));
        }
        else if (facts.IsOfPlatform)
        {
            plugin.Platforms.Add(new Types.Platform
            {
                Os = Platforms.Host.Os, Architecture = Platforms.Host.Architecture, Variant = Platforms.Host.Variant ?? "",
            });
        }

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
}
