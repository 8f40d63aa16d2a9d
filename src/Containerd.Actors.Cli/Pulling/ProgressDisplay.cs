// SPDX-License-Identifier: Apache-2.0

using Containerd.Node.V1;

namespace Containerd.Actors.Cli.Pulling;

/// <summary>Shows a pull as it goes: redrawn in place on a terminal, line by line elsewhere.</summary>
internal sealed class ProgressDisplay(TextWriter output, bool isTerminal, Func<(int Width, int Height)> size)
{
    private const string ClearToEnd = "\u001b[0J";

    private PullProgress? _shown;
    private int _drawn;

    /// <summary>Shows the latest state.</summary>
    public void Show(PullProgress progress)
    {
        if (isTerminal)
        {
            Redraw(progress);
        }
        else
        {
            foreach (string line in ProgressLines.Changes(_shown, progress))
            {
                output.WriteLine(line);
            }
        }

        _shown = progress.Clone();
        output.Flush();
    }

    private void Redraw(PullProgress progress)
    {
        (int width, int height) = size();
        IReadOnlyList<string> lines = ProgressLines.Draw(progress, width);

        // Lines above the top of the screen cannot be redrawn: the last ones that fit are shown until the pull has ended.
        bool ended = progress.Stage is "completed" or "failed";
        if (!ended && height > 1 && lines.Count >= height)
        {
            lines = [lines[0], .. lines.Skip(lines.Count - (height - 2))];
        }

        output.Write(_drawn > 0 ? $"\u001b[{_drawn}A\r{ClearToEnd}" : "");
        foreach (string line in lines)
        {
            output.WriteLine(line);
        }

        _drawn = lines.Count;
    }
}
