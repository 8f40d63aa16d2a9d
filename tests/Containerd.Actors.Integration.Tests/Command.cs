// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;

namespace Containerd.Actors.Integration.Tests;

/// <summary>What a command printed and how it ended.</summary>
internal sealed record Ran(int Status, string Output, string Errors)
{
    /// <summary>Everything it printed.</summary>
    public string All => Output + Errors;
}

/// <summary>Runs programs as a user would.</summary>
internal static class Command
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    public static async Task<Ran> RunAsync(string program, params string[] arguments) => await RunAsync("", program, arguments);

    public static async Task<Ran> RunAsync(string input, string program, string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        using CancellationTokenSource impatience = new(Patience);
        try
        {
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
            Task<string> output = process.StandardOutput.ReadToEndAsync(impatience.Token);
            Task<string> errors = process.StandardError.ReadToEndAsync(impatience.Token);
            await process.WaitForExitAsync(impatience.Token);
            return new Ran(process.ExitCode, await output, await errors);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw new TimeoutException($"{program} {string.Join(' ', arguments)} took longer than {Patience.TotalSeconds} s");
        }
    }

    /// <summary>Asks again until it holds; says what was seen last when it never does.</summary>
    public static async Task<string> UntilAsync(Func<Task<Ran>> ask, Func<Ran, bool> holds, TimeSpan? patience = null)
    {
        long started = Stopwatch.GetTimestamp();
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(50));
        while (true)
        {
            Ran ran = await ask();
            if (holds(ran))
            {
                return ran.Output;
            }

            Assert.True(Stopwatch.GetElapsedTime(started) < (patience ?? Patience), $"last seen: {ran.Status} {ran.All}");
            await timer.WaitForNextTickAsync();
        }
    }
}
