// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;

namespace Containerd.Actors.TestKit.Programs;

/// <summary>What a command printed and how it ended.</summary>
public sealed record Ran(int Status, string Output, string Errors)
{
    /// <summary>Everything it printed.</summary>
    public string All => Output + Errors;
}

/// <summary>Runs programs as a user would.</summary>
public static class Command
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    /// <summary>Runs a program with an empty input.</summary>
    public static Task<Ran> RunAsync(string program, params string[] arguments) => RunAsync("", program, arguments);

    /// <summary>Runs a program that reads this input; one that takes too long, or is not wanted any more, is killed.</summary>
    public static async Task<Ran> RunAsync(string input, string program, string[] arguments, CancellationToken cancellation = default)
    {
        ProcessStartInfo start = new(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        using CancellationTokenSource impatience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        impatience.CancelAfter(Patience);
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
            cancellation.ThrowIfCancellationRequested();
            throw new TimeoutException($"{program} {string.Join(' ', arguments)} took longer than {Patience.TotalSeconds} s");
        }
    }

    /// <summary>Asks again until it holds; says what was seen last when it never does.</summary>
    public static async Task<string> UntilAsync(Func<Task<Ran>> ask, Func<Ran, bool> holds, TimeSpan? patience = null)
    {
        ArgumentNullException.ThrowIfNull(ask);
        ArgumentNullException.ThrowIfNull(holds);
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
