// SPDX-License-Identifier: Apache-2.0

using Containerd.Services.Containers.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Containerd.Actors.Integration.Tests.Refusals;

/// <summary>What the containers service refuses, and how it says so.</summary>
public sealed class ContainerRefusals(Face face) : IClassFixture<Face>
{
    private readonly Containers.ContainersClient _containers = new(face.Invoker);
    private readonly string _ns = $"n{Guid.NewGuid():N}";

    [SkippableFact]
    public async Task A_container_needs_an_id_a_runtime_and_a_spec()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        await RefusedAsync("container.ID: identifier must not be empty: invalid argument", One(container => container.Id = ""));
        await RefusedAsync(
            "container.ID: identifier \"a b\" must match ^[A-Za-z0-9]+(?:[._-](?:[A-Za-z0-9]+))*$: invalid argument", One(container => container.Id = "a b"));
        await RefusedAsync("container.Runtime.Name must be set: invalid argument", One(container => container.Runtime = null));
        if (!Face.IsForeign)
        {
            // Go's typed nil gets past containerd 2.1; 2.3 refuses it in these words.
            await RefusedAsync("container.Spec must be set: invalid argument", One(container => container.Spec = null));
        }

        await RefusedAsync(
            "container.Snapshotter must be set if container.SnapshotKey is set: invalid argument", One(container => container.SnapshotKey = "k"));
        await RefusedAsync(
            "containers.Labels: label key and value length (4097 bytes) greater than maximum size (4096 bytes), key: key: invalid argument",
            One(container => container.Labels["key"] = new string('v', 4094)));
    }

    [SkippableFact]
    public async Task An_id_is_given_once()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        await CreateAsync(One());
        await Refusal.IsAsync(StatusCode.AlreadyExists, "container \"c\": already exists", CreateAsync(One()));
    }

    [SkippableFact]
    public async Task A_container_that_does_not_exist_is_not_found()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        await Refusal.IsAsync(
            StatusCode.NotFound, $"container \"x\" in namespace \"{_ns}\": not found", _containers.GetAsync(new GetContainerRequest { Id = "x" }, Face.In(_ns)));
        await CreateAsync(One());
        await Refusal.IsAsync(
            StatusCode.NotFound, $"container \"x\" in namespace \"{_ns}\": not found", _containers.GetAsync(new GetContainerRequest { Id = "x" }, Face.In(_ns)));
        await Refusal.IsAsync(
            StatusCode.NotFound, "container x: not found", _containers.DeleteAsync(new DeleteContainerRequest { Id = "x" }, Face.In(_ns)));
        await Refusal.IsAsync(
            StatusCode.NotFound, "container \"x\": not found", UpdateAsync(One(container => container.Id = "x"), "labels.a"));
    }

    [SkippableFact]
    public async Task What_is_fixed_is_not_updated()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        await CreateAsync(One());
        await Refusal.IsAsync(
            StatusCode.InvalidArgument,
            "container.Runtime.Name field is immutable: invalid argument",
            UpdateAsync(One(container => container.Runtime.Name = "other")));
        await Refusal.IsAsync(
            StatusCode.InvalidArgument,
            "container.Snapshotter field is immutable: invalid argument",
            UpdateAsync(One(container => container.Snapshotter = "native")));
        await Refusal.IsAsync(
            StatusCode.InvalidArgument, "cannot update \"runtime\" field on \"c\": invalid argument", UpdateAsync(One(), "runtime"));
        await Refusal.IsAsync(
            StatusCode.InvalidArgument, "cannot update \"created_at\" field on \"c\": invalid argument", UpdateAsync(One(), "created_at"));
        await Refusal.IsAsync(StatusCode.InvalidArgument, "Container.ID required", UpdateAsync(One(container => container.Id = "")));
        await Refusal.IsAsync(
            StatusCode.InvalidArgument,
            "update failed validation: containers.Labels: label key and value length (4097 bytes) greater than maximum size (4096 bytes), key: key: invalid argument",
            UpdateAsync(One(container => container.Labels["key"] = new string('v', 4094))));
    }

    [SkippableFact]
    public async Task A_mask_changes_what_it_names_and_extensions_stay()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        await CreateAsync(One(container => { container.Labels["a"] = "1"; container.Labels["b"] = "2"; container.Extensions["e"] = Of("1"); }));
        Container updated = (await UpdateAsync(
            One(container => { container.Labels["a"] = "3"; container.Labels["x/y.z"] = "4"; container.Image = "i"; container.Extensions["f"] = Of("2"); }),
            "labels.a", "labels.b", "labels.x/y.z", "image", "extensions.f")).Container;
        Assert.Equal(new Dictionary<string, string> { ["a"] = "3", ["x/y.z"] = "4" }, updated.Labels);
        Assert.Equal("i", updated.Image);
        Assert.Equal(["e", "f"], updated.Extensions.Keys.Order());
    }

    [SkippableFact]
    public async Task What_is_opaque_comes_back_byte_for_byte()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        Any odd = new() { TypeUrl = "types.example.com/odd/1/Spec", Value = ByteString.CopyFrom(0, 255, 1) };
        await CreateAsync(One(container => { container.Spec = odd; container.Runtime.Options = odd; container.Extensions["e"] = odd; }));
        Container got = (await _containers.GetAsync(new GetContainerRequest { Id = "c" }, Face.In(_ns))).Container;
        Assert.Equal((odd, odd, odd), (got.Spec, got.Runtime.Options, got.Extensions["e"]));
        Assert.Equal(got.CreatedAt, got.UpdatedAt);
    }

    [SkippableFact]
    public async Task A_list_is_sorted_and_filtered_and_a_stream_of_it_is_the_same()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        foreach (string id in new[] { "b", "a.1", "Z", "a-1" })
        {
            await CreateAsync(One(container => { container.Id = id; container.Labels["first"] = id[..1]; }));
        }

        Assert.Equal(["Z", "a-1", "a.1", "b"], await ListAsync());
        Assert.Equal(["a-1", "a.1"], await ListAsync("labels.first==a"));
        Assert.Equal(["Z", "b"], await ListAsync("id==Z", "id==b"));
        Assert.Equal(["a-1"], await ListAsync("runtime.name~=runc,id~=\"^a-\""));
        Assert.Empty(await ListAsync("image"));
        await Refusal.MatchesAsync(
            StatusCode.InvalidArgument, "parse error: .*: invalid argument$", _containers.ListAsync(new ListContainersRequest { Filters = { "id=" } }, Face.In(_ns)));
    }

    private async Task<IEnumerable<string>> ListAsync(params string[] filters)
    {
        ListContainersRequest request = new() { Filters = { filters } };
        string[] listed = [.. (await _containers.ListAsync(request, Face.In(_ns))).Containers.Select(container => container.Id)];
        using AsyncServerStreamingCall<ListContainerMessage> stream = _containers.ListStream(request, Face.In(_ns));
        List<string> streamed = [];
        await foreach (ListContainerMessage message in stream.ResponseStream.ReadAllAsync())
        {
            streamed.Add(message.Container.Id);
        }

        Assert.Equal(listed, streamed);
        return listed;
    }

    private static Any Of(string text) => new() { TypeUrl = "x", Value = ByteString.CopyFromUtf8(text) };

    private static Container One(Action<Container>? change = null)
    {
        Container container = new() { Id = "c", Runtime = new Container.Types.Runtime { Name = "io.containerd.runc.v2" }, Spec = Of("{}") };
        change?.Invoke(container);
        return container;
    }

    private Task RefusedAsync(string text, Container container) => Refusal.IsAsync(
        StatusCode.InvalidArgument, $"create container failed validation: {text}", CreateAsync(container));

    private AsyncUnaryCall<CreateContainerResponse> CreateAsync(Container container) =>
        _containers.CreateAsync(new CreateContainerRequest { Container = container }, Face.In(_ns));

    private AsyncUnaryCall<UpdateContainerResponse> UpdateAsync(Container container, params string[] mask) => _containers.UpdateAsync(
        new UpdateContainerRequest { Container = container, UpdateMask = mask.Length == 0 ? null : new FieldMask { Paths = { mask } } }, Face.In(_ns));
}
