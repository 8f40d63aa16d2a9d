// SPDX-License-Identifier: Apache-2.0

using Containerd.Services.Images.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Descriptor = Containerd.Types.Descriptor;

namespace Containerd.Actors.Integration.Tests.Refusals;

/// <summary>What the images service refuses, and how it says so.</summary>
public sealed class ImageRefusals(Face face) : IClassFixture<Face>
{
    private const string First = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    private const string Second = "sha256:486ea46224d1bb4fb680f34f7c9ad96a8f24ec88be73ea8e5a6c65260e9cb8a7";

    private readonly Images.ImagesClient _images = new(face.Invoker);
    private readonly string _ns = $"n{Guid.NewGuid():N}";

    [SkippableFact]
    public async Task An_image_needs_a_name_and_a_target()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        await RefusedAsync("^Image.Name required$", One(image => image.Name = ""));
        await RefusedAsync("^Target.Digest \"nonsense\" invalid: invalid checksum digest format: invalid argument$", One(image => image.Target.Digest = "nonsense"));
        await RefusedAsync("^Target.Digest \"\" invalid: invalid checksum digest format: invalid argument$", One(image => image.Target.Digest = ""));
        await RefusedAsync("^Target.Size must be greater than zero: invalid argument$", One(image => image.Target.Size = 0));
        await RefusedAsync("^Target.MediaType must be set: invalid argument$", One(image => image.Target.MediaType = ""));
        await RefusedAsync(
            @"^image.Labels: label key and value length \(4097 bytes\) greater than maximum size \(4096 bytes\), key: key: invalid argument$",
            One(image => image.Labels["key"] = new string('v', 4094)));
    }

    [SkippableFact]
    public async Task A_name_is_given_once()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        await CreateAsync(One());
        await Refusal.IsAsync(StatusCode.AlreadyExists, "image \"i\": already exists", CreateAsync(One()));
    }

    [SkippableFact]
    public async Task An_image_that_does_not_exist_is_not_found()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        const string Text = "image \"i\": not found";
        await Refusal.IsAsync(StatusCode.NotFound, Text, _images.GetAsync(new GetImageRequest { Name = "i" }, Face.In(_ns)));
        await Refusal.IsAsync(StatusCode.NotFound, Text, _images.DeleteAsync(new DeleteImageRequest { Name = "i" }, Face.In(_ns)));
        await Refusal.IsAsync(StatusCode.NotFound, Text, UpdateAsync(One()));
        await Refusal.IsAsync(StatusCode.InvalidArgument, "Image.Name required", UpdateAsync(One(image => image.Name = "")));
        await Refusal.IsAsync(StatusCode.NotFound, "image \"\": not found", _images.DeleteAsync(new DeleteImageRequest(), Face.In(_ns)));
    }

    [SkippableFact]
    public async Task An_image_is_deleted_only_if_it_is_the_one_that_was_meant()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        await CreateAsync(One());
        await Refusal.IsAsync(
            StatusCode.NotFound,
            $"image \"i\" has target {First}, not {Second}: not found",
            _images.DeleteAsync(new DeleteImageRequest { Name = "i", Target = Target(Second) }, Face.In(_ns)));
        await _images.DeleteAsync(new DeleteImageRequest { Name = "i", Target = Target(First) }, Face.In(_ns));
    }

    [SkippableFact]
    public async Task A_mask_changes_what_it_names_and_nothing_else_can_be_updated()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        await CreateAsync(One(image => { image.Labels["a"] = "1"; image.Labels["b"] = "2"; }));
        Image updated = (await UpdateAsync(One(image => { image.Labels["a"] = "3"; image.Target = Target(Second); }), "labels.a", "labels.b")).Image;
        Assert.Equal((First, "3", false), (updated.Target.Digest, updated.Labels["a"], updated.Labels.ContainsKey("b")));
        updated = (await UpdateAsync(One(image => image.Target = Target(Second)), "target")).Image;
        Assert.Equal((Second, "3"), (updated.Target.Digest, updated.Labels["a"]));
        updated = (await UpdateAsync(One(image => image.Target.Annotations["n"] = "v"), "annotations.n")).Image;
        Assert.Equal("v", updated.Target.Annotations["n"]);
        updated = (await UpdateAsync(One())).Image;
        Assert.Equal((First, 0), (updated.Target.Digest, updated.Labels.Count));
        await Refusal.IsAsync(
            StatusCode.InvalidArgument, "cannot update \"name\" field on image \"i\": invalid argument", UpdateAsync(One(), "name"));
    }

    [SkippableFact]
    public async Task A_source_date_is_the_time_of_an_image()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        Timestamp then = Timestamp.FromDateTimeOffset(new DateTimeOffset(2001, 2, 3, 4, 5, 6, TimeSpan.Zero));
        Image created = (await _images.CreateAsync(new CreateImageRequest { Image = One(), SourceDateEpoch = then }, Face.In(_ns))).Image;
        Assert.Equal((then, then), (created.CreatedAt, created.UpdatedAt));
        Timestamp later = Timestamp.FromDateTimeOffset(new DateTimeOffset(2002, 2, 3, 4, 5, 6, TimeSpan.Zero));
        Image updated = (await _images.UpdateAsync(new UpdateImageRequest { Image = One(), SourceDateEpoch = later }, Face.In(_ns))).Image;
        Assert.Equal((then, later), (updated.CreatedAt, updated.UpdatedAt));
    }

    [SkippableFact]
    public async Task A_list_is_sorted_by_name_and_filtered()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        await CreateAsync(One(image => image.Name = "docker.io/library/redis:7"));
        await CreateAsync(One(image => { image.Name = "a"; image.Labels["x/y"] = "z"; image.Target.Annotations["n"] = "v"; }));
        await CreateAsync(One(image => { image.Name = "B"; image.Target = Target(Second); }));
        Assert.Equal(["B", "a", "docker.io/library/redis:7"], await ListAsync());
        Assert.Equal(["B"], await ListAsync($"target.digest=={Second}"));
        Assert.Equal(["a"], await ListAsync("labels.\"x/y\"==z"));
        Assert.Equal(["a"], await ListAsync("annotations.n==v,target.mediatype==\"text/plain\""));
        Assert.Equal(["a", "docker.io/library/redis:7"], await ListAsync("name==a", "name~=\"^docker.io/\""));
        await Refusal.MatchesAsync(
            StatusCode.InvalidArgument, "parse error: .*: invalid argument$", _images.ListAsync(new ListImagesRequest { Filters = { "name==" } }, Face.In(_ns)));
    }

    private async Task<IEnumerable<string>> ListAsync(params string[] filters) =>
        (await _images.ListAsync(new ListImagesRequest { Filters = { filters } }, Face.In(_ns))).Images.Select(image => image.Name);

    private static Descriptor Target(string digest) => new() { Digest = digest, Size = 5, MediaType = "text/plain" };

    private static Image One(Action<Image>? change = null)
    {
        Image image = new() { Name = "i", Target = Target(First) };
        change?.Invoke(image);
        return image;
    }

    private Task RefusedAsync(string regex, Image image) => Refusal.MatchesAsync(StatusCode.InvalidArgument, regex, CreateAsync(image));

    private AsyncUnaryCall<CreateImageResponse> CreateAsync(Image image) => _images.CreateAsync(new CreateImageRequest { Image = image }, Face.In(_ns));

    private AsyncUnaryCall<UpdateImageResponse> UpdateAsync(Image image, params string[] mask) => _images.UpdateAsync(
        new UpdateImageRequest { Image = image, UpdateMask = mask.Length == 0 ? null : new FieldMask { Paths = { mask } } }, Face.In(_ns));
}
