// SPDX-License-Identifier: Apache-2.0

using System.Text;

namespace Containerd.Actors.Fuzzing;

/// <summary>Runs a property on made-up input. The inputs follow from their seeds alone, so that a failure is told by its number.</summary>
internal static class Fuzz
{
    // A run takes seconds; one that is still at it then hangs.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    /// <summary>Runs the property for seeds that failed once, then for seeds from 0 on.</summary>
    /// <param name="iterations">How many seeds.</param>
    /// <param name="failedOnce">Seeds that stay.</param>
    /// <param name="property">Throws what must not happen.</param>
    public static async Task RunAsync(int iterations, IEnumerable<int> failedOnce, Action<Random> property)
    {
        int current = -1;
        Task run = Task.Factory.StartNew(
            () =>
            {
                foreach (int seed in failedOnce.Concat(Enumerable.Range(0, iterations)))
                {
                    Volatile.Write(ref current, seed);
                    try
                    {
                        property(new Random(seed));
                    }
                    catch (Exception failure)
                    {
                        throw new InvalidOperationException($"seed {seed}: {failure.GetType().Name}: {failure.Message}", failure);
                    }
                }
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
        try
        {
            await run.WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            Assert.Fail($"seed {Volatile.Read(ref current)} hangs");
        }
    }

    /// <summary>A sample with a few things done to it, or pieces of samples and tokens in a row.</summary>
    public static string Text(Random random, IReadOnlyList<string> samples, IReadOnlyList<string> tokens)
    {
        StringBuilder text = new(random.Next(4) == 0 ? "" : Pick(random, samples));
        for (int change = random.Next(6); change >= 0; change--)
        {
            int at = random.Next(text.Length + 1);
            switch (random.Next(5))
            {
                case 0:
                    text.Insert(at, (char)random.Next(random.Next(2) == 0 ? 128 : 0x10000));
                    break;
                case 1:
                    text.Remove(at, random.Next(Math.Min(text.Length - at, 8) + 1));
                    break;
                case 2:
                    text.Insert(at, new StringBuilder().Insert(0, Pick(random, tokens), random.Next(1, random.Next(20) == 0 ? 300 : 3)));
                    break;
                case 3:
                    string other = Pick(random, samples);
                    text.Insert(at, other[random.Next(other.Length)..]);
                    break;
                default:
                    text.Insert(at, Pick(random, tokens));
                    break;
            }
        }

        return text.ToString();
    }

    /// <summary>A sample with a few bytes changed, lost, repeated or taken from another one.</summary>
    public static byte[] Bytes(Random random, IReadOnlyList<byte[]> samples)
    {
        List<byte> bytes = [.. Pick(random, samples)];
        for (int change = random.Next(8); change >= 0; change--)
        {
            int at = random.Next(bytes.Count + 1);
            int length = Math.Min(random.Next(1, random.Next(8) == 0 ? 600 : 12), bytes.Count - at);
            switch (random.Next(6))
            {
                case 0 when length > 0:
                    bytes.RemoveRange(at, length);
                    break;
                case 1:
                    bytes.InsertRange(at, bytes.GetRange(at, length));
                    break;
                case 2:
                    byte[] other = Pick(random, samples);
                    int from = random.Next(other.Length + 1);
                    bytes.InsertRange(at, other[from..Math.Min(other.Length, from + 600)]);
                    break;
                case 3 when random.Next(3) == 0:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                default:
                    for (int i = at; i < at + length; i++)
                    {
                        bytes[i] = (byte)(random.Next(3) == 0 ? 0xFF : random.Next(256));
                    }

                    break;
            }
        }

        return [.. bytes];
    }

    /// <summary>One of them.</summary>
    public static T Pick<T>(Random random, IReadOnlyList<T> from) => from[random.Next(from.Count)];
}
