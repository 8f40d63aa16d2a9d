// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Filters;
using Containerd.Actors.Core.GarbageCollection;
using Containerd.Actors.Core.Images;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Grpc.Calls;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Values;
using Containerd.Services.Images.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using WireDescriptor = Containerd.Types.Descriptor;

namespace Containerd.Actors.Grpc.Images;

/// <summary>containerd.services.images.v1.Images.</summary>
public sealed class ImagesService(Tree tree) : Services.Images.V1.Images.ImagesBase
{
    /// <inheritdoc />
    public override async Task<GetImageResponse> Get(GetImageRequest request, ServerCallContext context)
    {
        NamespaceState state = await StateAsync(context).ConfigureAwait(false);
        return new GetImageResponse { Image = ToWire(state.Image(request.Name).Value) };
    }

    /// <inheritdoc />
    public override async Task<ListImagesResponse> List(ListImagesRequest request, ServerCallContext context)
    {
        FilterSet filters = FilterSet.Parse(request.Filters);
        NamespaceState state = await StateAsync(context).ConfigureAwait(false);
        return new ListImagesResponse { Images = { state.Images.Values.Where(image => filters.Matches(Adaptors.Of(image))).Select(ToWire) } };
    }

    /// <inheritdoc />
    public override async Task<CreateImageResponse> Create(CreateImageRequest request, ServerCallContext context)
    {
        Image wanted = Named(request.Image);
        ImageRecord image = await tree.AskAsync(
            new ImageCommands.Create(
                context.Namespace(),
                wanted.Name,
                ToDescriptor(wanted.Target),
                wanted.Labels.ToLabels(),
                request.SourceDateEpoch?.ToDateTimeOffset(),
                context.Caller()),
            context.CancellationToken).ConfigureAwait(false);
        return new CreateImageResponse { Image = ToWire(image) };
    }

    /// <inheritdoc />
    public override async Task<UpdateImageResponse> Update(UpdateImageRequest request, ServerCallContext context)
    {
        Image wanted = Named(request.Image);
        ImageRecord image = await tree.AskAsync(
            new ImageCommands.Update(
                context.Namespace(),
                wanted.Name,
                ToDescriptor(wanted.Target),
                Labels.From(wanted.Labels),
                [.. request.UpdateMask?.Paths ?? []],
                request.SourceDateEpoch?.ToDateTimeOffset(),
                context.Caller()),
            context.CancellationToken).ConfigureAwait(false);
        return new UpdateImageResponse { Image = ToWire(image) };
    }

    /// <summary>With <c>sync</c> the answer comes after a complete garbage collection.</summary>
    public override async Task<Empty> Delete(DeleteImageRequest request, ServerCallContext context)
    {
        Caller caller = context.Caller();
        Digest? target = request.Target is { } wanted ? ToDigest(wanted.Digest) : null;
        await tree.AskAsync(
            new ImageCommands.Delete(context.Namespace(), request.Name, target, caller), context.CancellationToken).ConfigureAwait(false);
        if (request.Sync)
        {
            await tree.AwaitAsync(new GarbageCommands.Run(caller), context.CancellationToken).ConfigureAwait(false);
        }

        return new Empty();
    }

    private Task<NamespaceState> StateAsync(ServerCallContext context) =>
        tree.AskAsync(new NamespaceQueries.GetState(context.Namespace()), context.CancellationToken);

    private static Image ToWire(ImageRecord image) => new()
    {
        Name = image.Name,
        Labels = { image.Labels },
        Target = new WireDescriptor
        {
            MediaType = image.Target.MediaType,
            Digest = image.Target.Digest.ToString(),
            Size = image.Target.Size,
            Annotations = { image.Target.Annotations ?? Labels.None },
        },
        CreatedAt = Timestamp.FromDateTimeOffset(image.CreatedAt),
        UpdatedAt = Timestamp.FromDateTimeOffset(image.UpdatedAt),
    };

    private static Descriptor? ToDescriptor(WireDescriptor? wire)
    {
        if (wire is null)
        {
            return null;
        }

        if (wire.Digest.Length > 0 && !Digest.TryParse(wire.Digest, out _))
        {
            throw new RefusedException(Error.Invalid($"Target.Digest \"{wire.Digest}\" invalid: invalid checksum digest format"));
        }

        Digest digest = wire.Digest.Length == 0 ? default : ToDigest(wire.Digest);
        return new Descriptor(wire.MediaType, digest, wire.Size) { Annotations = Labels.From(wire.Annotations) };
    }

    private static Image Named(Image? image) => image is { Name.Length: > 0 }
        ? image
        : throw new RefusedException(Error.Bare(ErrorKind.InvalidArgument, "Image.Name required"));

    private static Digest ToDigest(string text) =>
        Digest.TryParse(text, out Digest digest) ? digest : throw new RefusedException(Error.Invalid($"\"{text}\" failed validation"));
}
