// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Shims.Starting;

/// <summary>Which form of input a shim's <c>start</c> action reads.</summary>
public enum BootstrapForm
{
    /// <summary>An Any with the runtime's options, or nothing (containerd up to 2.2).</summary>
    Options,

    /// <summary>The message <c>BootstrapParams</c> (containerd 2.3 and later).</summary>
    Params,
}

/// <summary>What an executable understands.</summary>
/// <param name="Form">What its <c>start</c> action reads.</param>
/// <param name="Adopts">Whether it can be started beforehand and be given its bundle later.</param>
public readonly record struct ShimKind(BootstrapForm Form, bool Adopts);

/// <summary>From what a shim prints for <c>-v</c> to the form it reads.</summary>
/// <remarks>
/// The two forms cannot be told apart by the reader: shims up to 2.2 take BootstrapParams for an Any, and fail over an
/// option type that is the container's id; shims from 2.4 refuse the Any. containerd itself sends BootstrapParams to all
/// but two old names, which excludes every installed shim of an older containerd. Shims made with containerd's library
/// print the library's version in a line <c>Version:</c>, so asking the executable once tells. A shim whose answer has
/// no such line gets what the current containerd would send it, BootstrapParams.
/// </remarks>
public static class ShimVersion
{
    private const string AdoptionLine = "Adoption: 1";

    /// <summary>The kind of a shim that printed that text. Only the shim of this project prints by which version of adoption it is given bundles.</summary>
    public static ShimKind KindOf(string binaryName, string printed) =>
        new(FormOf(binaryName, printed), printed.Split('\n', StringSplitOptions.TrimEntries).Contains(AdoptionLine));

    /// <summary>The form for a shim that printed that text.</summary>
    public static BootstrapForm FormOf(string binaryName, string printed)
    {
        ArgumentNullException.ThrowIfNull(binaryName);
        ArgumentNullException.ThrowIfNull(printed);
        if (binaryName.Contains("shim-runc-v1", StringComparison.Ordinal) || binaryName.Contains("shim-runhcs-v1", StringComparison.Ordinal))
        {
            return BootstrapForm.Options;
        }

        foreach (var line in printed.Split('\n', StringSplitOptions.TrimEntries))
        {
            const string Label = "Version:";
            if (line.StartsWith(Label, StringComparison.Ordinal))
            {
                return TryParse(line[Label.Length..].Trim(), out var version) && version < new Version(2, 3)
                    ? BootstrapForm.Options
                    : BootstrapForm.Params;
            }
        }

        return BootstrapForm.Params;
    }

    // Only the first two numbers count: "1.6.20~ds1", "v2.3.0-beta.1", "2.2.1+unknown".
    private static bool TryParse(string text, out Version version)
    {
        var numbers = text.TrimStart('v').Split('.');
        version = new Version(0, 0);
        if (numbers.Length < 2 || !int.TryParse(numbers[0], out var major))
        {
            return false;
        }

        var digits = numbers[1].TakeWhile(char.IsAsciiDigit).ToArray();
        if (!int.TryParse(digits, out var minor))
        {
            return false;
        }

        version = new Version(major, minor);
        return true;
    }
}
