// SPDX-License-Identifier: Apache-2.0

using System.Net.Sockets;
using Containerd.Actors.Linux.Processes;
using Containerd.Actors.Linux.Sockets;

namespace Containerd.Actors.Linux.Tests.Sockets;

public sealed class SocketPairSpecs
{
    [Fact]
    public async Task A_child_talks_to_its_parent_over_the_end_that_it_was_given()
    {
        (Socket own, var given) = SocketPair.Create();
        using NetworkStream stream = new(own, ownsSocket: true);
        using (given)
        {
            using ChildProcess child = ChildProcess.Spawn(new SpawnRequest
            {
                Path = "/bin/sh",
                Arguments = ["sh", "-c", "read line <&3; echo got $line >&3"],
                Descriptors = [new InheritedDescriptor(3, given)],
            });
            await stream.WriteAsync("hello\n"u8.ToArray());
            Assert.True((await child.Exited).IsSuccess);
        }

        // With the child and the copy here gone, so is the other side.
        using StreamReader reader = new(stream);
        Assert.Equal("got hello\n", await reader.ReadToEndAsync());
    }
}
