// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Containerd.Actors.Cli.Errors;

namespace Containerd.Actors.Cli.Configuration;

/// <summary>A containerd configuration in our words, and what of it could not be said in them.</summary>
internal sealed record Translation(IReadOnlyList<Translation.Line> Lines, IReadOnlyList<Remark> Remarks)
{
    /// <summary>Translates what a file and its imports set.</summary>
    /// <exception cref="CliFailure">A value is none that containerd takes; the failure names file and line.</exception>
    public static Translation Of(ConfigurationFile file)
    {
        OrderedDictionary<string, Line> lines = [];
        List<Remark> remarks = [.. file.Remarks];
        foreach (Setting setting in file.Settings)
        {
            switch (Counterpart(setting))
            {
                case Outcome.Carried carried when lines.TryGetValue(carried.Key, out Line? first):
                    if (first.Value != carried.Value)
                    {
                        remarks.Add(new Remark(setting, $"{carried.Key} is one value, and {first.From.Written} set it already"));
                    }

                    break;
                case Outcome.Carried carried:
                    lines.Add(carried.Key, new Line(carried.Key, carried.Value, setting));
                    if (carried.Remark is { } remark)
                    {
                        remarks.Add(new Remark(setting, remark));
                    }

                    break;
                case Outcome.Left left:
                    remarks.Add(new Remark(setting, left.Reason));
                    break;
            }
        }

        return new Translation([.. lines.Values], remarks);
    }

    /// <summary>The file for <c>containerd-actors --config</c>.</summary>
    public string ToHocon(string source)
    {
        StringBuilder text = new($"# From {source}, by cactl config import. What is not here has the default of hocon/reference.\n");
        foreach (Line line in Lines)
        {
            text.Append('\n').Append("# ").Append(line.From.Written).Append(", ").Append(line.From.Place).Append('\n')
                .Append(line.Key).Append(" = ").Append(line.Value).Append('\n');
        }

        return text.ToString();
    }

    private static Outcome Counterpart(Setting setting)
    {
        try
        {
            return Counterparts.Of(setting);
        }
        catch (FormatException unfit)
        {
            throw new CliFailure(setting.Place, $"{setting.Written}: {unfit.Message}");
        }
    }

    /// <summary>One key of ours with its value, and where it comes from.</summary>
    internal sealed record Line(string Key, string Value, Setting From);
}
