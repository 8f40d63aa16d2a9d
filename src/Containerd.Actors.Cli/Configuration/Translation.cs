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
        foreach ((Setting setting, Outcome outcome) in Outcomes([.. file.Settings]))
        {
            switch (outcome)
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

    private static IEnumerable<(Setting Setting, Outcome Outcome)> Outcomes(IReadOnlyList<Setting> settings)
    {
        Setting[] stores = [.. settings.Where(Entries.IsContent)];
        foreach (IGrouping<string, Setting> group in settings.GroupBy(setting => Entries.NameOf(setting) ?? setting.Path))
        {
            Setting first = group.First();
            if (Entries.NameOf(first) is not { } entry)
            {
                yield return (first, Counterpart(first, stores.Length > 0));
            }
            else if (stores.Skip(1).FirstOrDefault(store => Entries.NameOf(store) == entry) is { } second)
            {
                yield return (second, new Outcome.Left("there is one content store"));
            }
            else
            {
                foreach ((Setting setting, Outcome outcome) in Checked(first, () => Entries.Of(entry, [.. group]).ToArray()))
                {
                    yield return (setting, outcome);
                }
            }
        }
    }

    private static Outcome Counterpart(Setting setting, bool hasStore) => Checked(setting, () => Counterparts.Of(
        // Whoever has a content store in another process must have switched containerd's own off.
        hasStore && setting is { Path: "disabled_plugins", Value: IReadOnlyList<object> disabled }
            ? setting with { Value = (IReadOnlyList<object>)[.. disabled.Where(plugin => plugin is not PluginNames.Content)] }
            : setting));

    private static T Checked<T>(Setting setting, Func<T> translate)
    {
        try
        {
            return translate();
        }
        catch (FormatException unfit)
        {
            throw new CliFailure(setting.Place, $"{setting.Written}: {unfit.Message}");
        }
    }

    /// <summary>One key of ours with its value, and where it comes from.</summary>
    internal sealed record Line(string Key, string Value, Setting From);
}
