// SPDX-License-Identifier: Apache-2.0

using Grpc.Core;

namespace Containerd.Actors.Cli.Errors;

/// <summary>Turns what the daemon or the socket said into a failure with the next step.</summary>
internal static class Failures
{
    /// <summary>The failure of a call about <paramref name="subject"/> to the daemon at <paramref name="address"/>.</summary>
    public static CliFailure Of(RpcException refused, string subject, string address) => refused.StatusCode switch
    {
        StatusCode.Unavailable when IsConnectFailure(refused) => Unreachable(refused, address),
        StatusCode.Internal when IsConnectFailure(refused) => Unreachable(refused, address),
        StatusCode.Unimplemented => new CliFailure(
            subject, $"the daemon at {address} does not serve this", "it needs containerd-actors; see --address"),
        _ => new CliFailure(subject, Text(refused), Hint(refused, subject)),
    };

    /// <summary>The daemon's text; the name of the status where it gave none.</summary>
    public static string Text(RpcException refused) =>
        refused.Status.Detail.Length > 0 ? refused.Status.Detail : refused.StatusCode.ToString().ToLowerInvariant();

    /// <summary>The next step, where there is an obvious one.</summary>
    public static string? Hint(RpcException refused, string subject)
    {
        string detail = refused.Status.Detail;
        return refused.StatusCode switch
        {
            StatusCode.NotFound when detail.StartsWith("content digest", StringComparison.Ordinal) => "not all of it is stored: --platform names a part that is",
            StatusCode.NotFound when Says(detail, "image") => $"pull it with \"cactl pull {subject}\"",
            StatusCode.NotFound when Says(detail, "parent snapshot") => $"unpack it with \"cactl pull {subject}\"",
            StatusCode.NotFound when Says(detail, "container") || Says(detail, "task") => "\"cactl ps -a\" lists what there is",
            StatusCode.AlreadyExists when Says(detail, "container") || Says(detail, "snapshot") =>
                $"choose another --name or \"cactl rm {subject}\"",
            StatusCode.FailedPrecondition when Says(detail, "must be stopped") =>
                $"\"cactl stop {subject}\" first, or \"cactl rm -f {subject}\"",
            _ => null,
        };
    }

    private static CliFailure Unreachable(RpcException refused, string address)
    {
        string text = refused.ToString();
        return text.Contains("Permission denied", StringComparison.OrdinalIgnoreCase)
            ? new CliFailure(address, "permission denied", "run cactl as root")
            : new CliFailure(address, "the daemon is not running", $"start it with \"containerd-actors --address {address}\"");
    }

    private static bool IsConnectFailure(RpcException refused) =>
        refused.Status.DebugException is HttpRequestException or System.Net.Sockets.SocketException
        || Says(refused.Status.Detail, "Error connecting to subchannel")
        || (Says(refused.Status.Detail, "Error starting gRPC call") && Says(refused.Status.Detail, "SocketException"));

    private static bool Says(string detail, string words) => detail.Contains(words, StringComparison.Ordinal);
}
