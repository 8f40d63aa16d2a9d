// SPDX-License-Identifier: Apache-2.0

using System.Net.Sockets;
using Containerd.Actors.Cli.Errors;
using Grpc.Core;

namespace Containerd.Actors.Cli.Tests.Errors;

public sealed class FailureSpecs
{
    [Theory]
    [InlineData(StatusCode.NotFound, "container \"x\" in namespace \"default\": not found",
        "cactl: container \"x\" in namespace \"default\": not found: \"cactl ps -a\" lists what there is")]
    [InlineData(StatusCode.AlreadyExists, "snapshot \"x\": already exists",
        "cactl: snapshot \"x\": already exists: choose another --name or \"cactl rm x\"")]
    [InlineData(StatusCode.FailedPrecondition, "task x must be stopped before deletion: running: failed precondition",
        "cactl: task x must be stopped before deletion: running: failed precondition: \"cactl stop x\" first, or \"cactl rm -f x\"")]
    [InlineData(StatusCode.NotFound, "parent snapshot sha256:0 does not exist: not found",
        "cactl: x: parent snapshot sha256:0 does not exist: not found: unpack it with \"cactl pull x\"")]
    [InlineData(StatusCode.Unknown, "shim says\nno", "cactl: x: shim says no")]
    [InlineData(StatusCode.Unimplemented, "",
        "cactl: x: the daemon at /s does not serve this: it needs containerd-actors; see --address")]
    [InlineData(StatusCode.Internal, "", "cactl: x: internal")]
    public void A_refusal_is_one_line_with_the_next_step(StatusCode code, string detail, string line) =>
        Assert.Equal(line, Failures.Of(new RpcException(new Status(code, detail)), "x", "/s").Line);

    [Fact]
    public void A_daemon_that_does_not_run_is_told_with_how_to_start_it()
    {
        var refused = new RpcException(new Status(
            StatusCode.Unavailable, "Error starting gRPC call.", new SocketException((int)SocketError.ConnectionRefused)));

        Assert.Equal(
            "cactl: /s: the daemon is not running: start it with \"containerd-actors --address /s\"",
            Failures.Of(refused, "x", "/s").Line);
    }

    [Theory]
    [InlineData("runc create failed: unable to start container process: exec: \"nope\": executable file not found in $PATH: unknown", 127)]
    [InlineData("exec: \"/nope\": stat /nope: no such file or directory: unknown", 127)]
    [InlineData("executable file `nope` not found in $PATH: No such file or directory", 127)]
    [InlineData("exec: \"/etc\": permission denied: unknown", 126)]
    [InlineData("exec /bin/x: exec format error", 126)]
    [InlineData("error mounting \"/nope\" to rootfs: mount /nope: no such file or directory", 125)]
    [InlineData("container \"x\" in namespace \"default\": not found", 125)]
    [InlineData("", 125)]
    public void A_command_that_cannot_start_has_dockers_exit_code(string detail, int code) =>
        Assert.Equal(code, ExitCodes.OfStart(detail));
}
