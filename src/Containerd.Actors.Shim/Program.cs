// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Linux;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Shim.Serving;
using Containerd.Actors.Shim.Starting;

try
{
    ShimArguments arguments = ShimArguments.Parse(args);
    return arguments.Action switch
    {
        ShimAction.Version => About.PrintVersion(),
        ShimAction.Info => await About.PrintInfoAsync(),
        ShimAction.Start => await StartAction.RunAsync(arguments),
        ShimAction.Delete => await DeleteAction.RunAsync(arguments),
        ShimAction.Await => await ShimHost.AwaitAsync(),
        _ => await ShimHost.ServeAsync(arguments),
    };
}
catch (Exception failure) when (failure is RefusedException or LinuxException or IOException or FormatException or UnauthorizedAccessException)
{
    // The daemon shows the whole output of an action as the reason why it failed.
    await Console.Error.WriteLineAsync($"containerd-shim-actors-v1: {failure.Message}");
    return 1;
}
