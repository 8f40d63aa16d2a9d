// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Runtimes;
using Containerd.Actors.Protocol.Values;
using Containerd.Actors.Shims.Starting;
using Containerd.Runc.V1;
using Containerd.Types;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Containerd.Actors.Shims.Runtimes;

/// <summary>The runtimes of the node: from what clients name to executables and options.</summary>
/// <remarks>
/// A name is a handler of the configuration, a dotted name or an absolute path, in this order. Options that a client gives win over a
/// handler's. Tasks of runc's shim whose options name no OCI runtime get the one that was found to work. The configuration may name
/// another executable in place of a shim's.
/// </remarks>
/// <param name="handlers">Handlers of the configuration.</param>
/// <param name="searchPath">Directories in which shims are looked for, as in <c>PATH</c>.</param>
/// <param name="daemonDirectory">Directory of the daemon's executable; searched last.</param>
/// <param name="launcher">Asks shims what they can do.</param>
/// <param name="instead">Executables in place of others, by the end of those names: <c>runc-v2</c>. What is not installed replaces nothing.</param>
/// <param name="ociRuntime">The OCI runtime that works; null or empty to leave it to the shim.</param>
public sealed class RuntimeCatalogue(
    ImmutableArray<RuntimeHandler> handlers, string searchPath, string daemonDirectory, ShimLauncher launcher, Func<Task<string>>? ociRuntime = null,
    ImmutableDictionary<string, string>? instead = null)
    : IRuntimes
{
    private const string Runc = "io.containerd.runc.v2";
    private const string Own = "io.containerd.actors.v1";
    private const string RuncOptions = "containerd.runc.v1.Options";

    /// <inheritdoc />
    public ImmutableArray<RuntimeHandler> Handlers { get; } = [.. handlers.OrderBy(handler => handler.Name, StringComparer.Ordinal)];

    /// <summary>Executables that serve in place of others, as <c>runc-v2=/path</c>.</summary>
    public ImmutableArray<string> Replaced =>
        [.. (instead ?? ImmutableDictionary<string, string>.Empty).Keys.Order(StringComparer.Ordinal)
            .Select(name => (Name: name, Path: InPlaceOf(name))).Where(each => each.Path is not null).Select(each => $"{each.Name}={each.Path}")];

    /// <summary>The executable of the shim that runs tasks, and sandboxes that a shim runs itself: tasks that join one are in its shim.</summary>
    /// <exception cref="RefusedException">The name is none, or nothing is installed.</exception>
    public string BinaryOf(string runtime)
    {
        string named = NamedBy(runtime);
        return named.Length > 0 && named[0] != '/' && InPlaceOf(RuntimeBinary.NameOf(named)[RuntimeBinary.Prefix.Length..]) is { } other
            ? other
            : RuntimeBinary.Resolve(named, searchPath, daemonDirectory);
    }

    /// <summary>The options a task runs with.</summary>
    /// <param name="runtime">What the client named.</param>
    /// <param name="given">What the client gave; null for nothing.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="RefusedException">They are not what their type says.</exception>
    public async Task<AnyValue?> OptionsOfAsync(string runtime, AnyValue? given, CancellationToken cancellationToken)
    {
        RuntimeHandler? handler = HandlerOf(runtime);
        AnyValue? options = given is { Value.IsEmpty: false } ? given : handler?.Options ?? given;
        bool isRunc = (handler?.Type ?? runtime) is Runc or Own;
        if (!isRunc || ociRuntime is null || (options is not null && NameOf(options.TypeUrl) != RuncOptions))
        {
            return options;
        }

        Options runc = Parse(options);
        if (runc.BinaryName.Length > 0)
        {
            return options;
        }

        runc.BinaryName = await ociRuntime().WaitAsync(cancellationToken).ConfigureAwait(false);
        return runc.BinaryName.Length == 0 ? options : new AnyValue(RuncOptions, runc.ToByteArray());
    }

    /// <inheritdoc />
    public async Task<AnyValue> GetInfoAsync(string runtime, AnyValue? options, CancellationToken cancellationToken)
    {
        string binary;
        try
        {
            binary = BinaryOf(runtime.Length > 0 ? runtime : Runc);
        }
        catch (RefusedException refused)
        {
            throw new RefusedException(refused.Error.While("failed to resolve runtime path"), refused);
        }

        AnyValue? asked = await OptionsOfAsync(runtime.Length > 0 ? runtime : Runc, options, cancellationToken).ConfigureAwait(false);
        Any? input = asked is null ? null : new Any { TypeUrl = asked.TypeUrl, Value = ByteString.CopyFrom(asked.Value.Span) };
        RuntimeInfo info = await launcher.RuntimeInfoAsync(binary, input, cancellationToken).ConfigureAwait(false);
        return new AnyValue(RuntimeInfo.Descriptor.FullName, info.ToByteArray());
    }

    private string NamedBy(string runtime) => HandlerOf(runtime) is { } handler ? handler.Path.Length > 0 ? handler.Path : handler.Type : runtime;

    // What lies beside the daemon was made with it, hence before the PATH.
    private string? InPlaceOf(string name) => (instead?.GetValueOrDefault(name) ?? "") switch
    {
        "" => null,
        ['/', ..] path => RuntimeBinary.IsExecutable(path) ? path : null,
        var file => searchPath.Split(':', StringSplitOptions.RemoveEmptyEntries).Prepend(daemonDirectory)
            .Select(directory => Path.GetFullPath(Path.Combine(directory, file))).FirstOrDefault(RuntimeBinary.IsExecutable),
    };

    private RuntimeHandler? HandlerOf(string runtime) => Handlers.FirstOrDefault(handler => handler.Name == runtime);

    private static string NameOf(string typeUrl) => typeUrl[(typeUrl.LastIndexOf('/') + 1)..];

    private static Options Parse(AnyValue? options)
    {
        try
        {
            return options is null ? new Options() : Options.Parser.ParseFrom(options.Value.Span);
        }
        catch (InvalidProtocolBufferException wrong)
        {
            throw new RefusedException(Error.Invalid($"{RuncOptions}: {wrong.Message}"), wrong);
        }
    }
}
