// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Containerd.Actors.Core.Mounts;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Oci.Runtime;
using Containerd.Actors.Protocol.Containers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Runs;
using Containerd.Actors.Protocol.Tasks;
using Containerd.Actors.Protocol.Values;

namespace Containerd.Actors.Core.Runs;

/// <summary>The steps of a run that may fail, in their order.</summary>
public enum RunStep
{
    /// <summary>The image and its configuration are looked up.</summary>
    Image,

    /// <summary>The snapshot of the root file system is prepared.</summary>
    Snapshot,

    /// <summary>The user of the image is looked up, where it has a name, and the record is made.</summary>
    Container,

    /// <summary>The task is created.</summary>
    Task,

    /// <summary>The task is started.</summary>
    Start,
}

/// <summary>What of a failed run is taken back.</summary>
public enum RunRemains
{
    /// <summary>The task, whatever it is doing.</summary>
    Task,

    /// <summary>The record, if it is the one that was asked for.</summary>
    Container,

    /// <summary>The snapshot.</summary>
    Snapshot,
}

/// <summary>What a run makes of a wish and an image, and what it takes back when it fails.</summary>
public static class RunPlan
{
    /// <summary>The user by a name that only the files of the image can turn into numbers; null when they are not needed.</summary>
    public static string? UserName(RunWish wish, ContainerConfig image) =>
        UserOf(wish, image) is var user && UserResolver.HasNames(user) ? user : null;

    /// <summary>The record of the container.</summary>
    /// <param name="ns">The namespace.</param>
    /// <param name="wish">What is wanted.</param>
    /// <param name="imageName">The name under which the image is stored.</param>
    /// <param name="image">Its configuration.</param>
    /// <param name="user">Who is meant by <see cref="UserName"/>; null where that is.</param>
    /// <exception cref="RefusedException">There is nothing to run, or a limit makes no sense.</exception>
    public static ContainerRecord Container(string ns, RunWish wish, string imageName, ContainerConfig image, UserSpec? user)
    {
        ImmutableSortedDictionary<string, string> labels = Labels.From(InheritedLabels.Of(image)).SetItems(wish.Labels);
        return new ContainerRecord(wish.Id)
        {
            Image = imageName,
            Labels = wish.Removes ? labels.SetItem(RunLabels.AutoRemove, "true") : labels.Remove(RunLabels.AutoRemove),
            RuntimeName = wish.RuntimeName,
            RuntimeOptions = wish.RuntimeOptions,
            Snapshotter = wish.Snapshotter,
            SnapshotKey = wish.Id,
            Spec = new AnyValue(RuntimeSpec.TypeUrl, Spec(ns, wish, image, user).ToJson()),
        };
    }

    /// <summary>The mounts of the root as a task is given them.</summary>
    public static ImmutableArray<RootfsMount> Rootfs(ImmutableArray<Mount> mounts) =>
        [.. mounts.Select(mount => new RootfsMount(mount.Type, mount.Source, mount.Target, mount.Options))];

    /// <summary>What is taken back, in this order, when a step fails.</summary>
    /// <param name="step">The step.</param>
    /// <param name="error">Why; null when the run was given up before the step began.</param>
    /// <remarks>
    /// What was there before is nobody's to take back: a refused step has made nothing. Whether one has that was not answered only the
    /// world knows; a snapshot without a record is left to garbage collection then.
    /// </remarks>
    public static ImmutableArray<RunRemains> Remains(RunStep step, Error? error) => step switch
    {
        RunStep.Image or RunStep.Snapshot => [],
        RunStep.Container when error is null || IsAnswer(error) => [RunRemains.Snapshot],
        RunStep.Container => [RunRemains.Container, RunRemains.Snapshot],
        _ => [RunRemains.Task, RunRemains.Container, RunRemains.Snapshot],
    };

    /// <summary>True when the record that was found is the one that was asked for.</summary>
    public static bool IsSame(ContainerRecord asked, ContainerRecord found) =>
        asked.Id == found.Id && asked.SnapshotKey == found.SnapshotKey && asked.Snapshotter == found.Snapshotter && Equals(asked.Spec, found.Spec);

    private static bool IsAnswer(Error error) =>
        error.Kind is not (ErrorKind.Unavailable or ErrorKind.DeadlineExceeded or ErrorKind.Internal or ErrorKind.Unknown);

    private static RuntimeSpec Spec(string ns, RunWish wish, ContainerConfig image, UserSpec? user)
    {
        try
        {
            string number = user is null && UserOf(wish, image) is { Length: > 0 } given && given != "root" ? given : "0";
            RuntimeSpec spec = RuntimeSpecBuilder.Build(
                ns, wish.Id, wish.Spec with { Image = image, User = number, Terminal = wish.Stdio.Terminal });
            return user is null ? spec : spec with { Process = spec.Process with { User = user } };
        }
        catch (FormatException senseless)
        {
            throw new RefusedException(Error.Invalid($"container \"{wish.Id}\": {senseless.Message}"), senseless);
        }
    }

    private static string UserOf(RunWish wish, ContainerConfig image) => wish.Spec.User ?? image.User ?? "";
}
