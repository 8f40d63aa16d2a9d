// SPDX-License-Identifier: Apache-2.0

using Containerd.Runc.V1;
using Containerd.Runtime.Bootstrap.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Containerd.Actors.Shim.Starting;

/// <summary>What the daemon wrote to the standard input of <c>start</c>: parameters since containerd 2.3, the runtime's options before, or nothing.</summary>
/// <param name="Parameters">The parameters; null from an older daemon.</param>
/// <param name="Options">The runtime's options.</param>
internal sealed record StartInput(BootstrapParams? Parameters, Options Options)
{
    /// <summary>Name under which the options travel.</summary>
    public const string OptionsType = "containerd.runc.v1.Options";

    /// <summary>Reads either form; both are protobuf and only one names the task.</summary>
    /// <exception cref="FormatException">The options are of another type, or broken.</exception>
    public static StartInput Parse(byte[] input, string ns, string id)
    {
        if (input.Length == 0)
        {
            return new StartInput(null, new Options());
        }

        try
        {
            BootstrapParams parameters = BootstrapParams.Parser.ParseFrom(input);
            if (parameters.InstanceId == id && parameters.Namespace == ns)
            {
                return new StartInput(parameters, OptionsOf(parameters.Extensions.Select(extension => extension.Value).FirstOrDefault()));
            }
        }
        catch (InvalidProtocolBufferException)
        {
            // The older form, whose second field holds bytes where this one has text.
        }

        try
        {
            return new StartInput(null, OptionsOf(Any.Parser.ParseFrom(input)));
        }
        catch (InvalidProtocolBufferException wrong)
        {
            throw new FormatException($"standard input is neither parameters nor options: {wrong.Message}", wrong);
        }
    }

    /// <summary>The options in an Any; defaults when there is none.</summary>
    /// <exception cref="FormatException">It holds something else.</exception>
    public static Options OptionsOf(Any? value)
    {
        if (value is null || value.TypeUrl.Length == 0)
        {
            return new Options();
        }

        return value.TypeUrl[(value.TypeUrl.LastIndexOf('/') + 1)..] == OptionsType
            ? Options.Parser.ParseFrom(value.Value)
            : throw new FormatException($"unsupported option type {value.TypeUrl}");
    }
}
