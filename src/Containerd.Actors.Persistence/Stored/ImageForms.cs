// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Images;
using Containerd.Actors.Protocol.Values;

namespace Containerd.Actors.Persistence.Stored;

/// <summary>Stored forms of <see cref="ImageEvents"/>.</summary>
internal static class ImageForms
{
    public static IReadOnlyList<EventForm> All { get; } =
    [
        EventForm.Of("image.created:1", V1.ImageCreated.Parser,
            (ImageEvents.Created e) => new V1.ImageCreated { Image = Write(e.Image) },
            m => new ImageEvents.Created(Read(m.Image))),
        EventForm.Of("image.updated:1", V1.ImageUpdated.Parser,
            (ImageEvents.Updated e) => new V1.ImageUpdated { Image = Write(e.Image) },
            m => new ImageEvents.Updated(Read(m.Image))),
        EventForm.Of("image.deleted:1", V1.ImageDeleted.Parser,
            (ImageEvents.Deleted e) => new V1.ImageDeleted { Name = e.Name },
            m => new ImageEvents.Deleted(m.Name)),
    ];

    private static V1.StoredImage Write(ImageRecord image)
    {
        V1.StoredImage stored = new()
        {
            Name = image.Name,
            Target = Values.Descriptor(image.Target),
            CreatedAt = Values.Time(image.CreatedAt),
            UpdatedAt = Values.Time(image.UpdatedAt),
        };
        return stored.WithLabels(stored.Labels, image.Labels);
    }

    private static ImageRecord Read(V1.StoredImage? stored) => stored is null
        ? throw new FormatException("the image is missing")
        : new ImageRecord(
            stored.Name, Values.Descriptor(stored.Target), Labels.From(stored.Labels), Values.Time(stored.CreatedAt),
            Values.Time(stored.UpdatedAt));
}
