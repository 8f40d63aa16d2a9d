// SPDX-License-Identifier: Apache-2.0

using Containerd.Services.Containers.V1;
using Containerd.Services.Images.V1;
using Containerd.Services.Leases.V1;
using Containerd.Services.Namespaces.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Descriptor = Containerd.Types.Descriptor;

namespace Containerd.Actors.Integration.Tests.Refusals;

/// <summary>What the namespaces service refuses, and how it says so.</summary>
public sealed class NamespaceRefusals(Face face) : IClassFixture<Face>
{
    private const string Digest = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    private readonly Namespaces.NamespacesClient _namespaces = new(face.Invoker);

    [SkippableFact]
    public async Task A_namespace_that_does_not_exist_is_one_without_labels()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        Assert.Empty((await _namespaces.GetAsync(new GetNamespaceRequest { Name = Name() })).Namespace.Labels);
    }

    [SkippableFact]
    public async Task A_name_is_given_once()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        string name = Name();
        await CreateAsync(name);
        await Refusal.IsAsync(StatusCode.AlreadyExists, $"namespace \"{name}\": already exists", CreateAsync(name));
        await _namespaces.DeleteAsync(new DeleteNamespaceRequest { Name = name });
    }

    [SkippableTheory]
    [InlineData("", "identifier must not be empty: invalid argument")]
    [InlineData("a b", "identifier \"a b\" must match ^[A-Za-z0-9]+(?:[._-](?:[A-Za-z0-9]+))*$: invalid argument")]
    public async Task What_is_no_name_is_refused(string name, string text)
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        await Refusal.IsAsync(StatusCode.InvalidArgument, text, CreateAsync(name));
    }

    [SkippableFact]
    public async Task A_namespace_that_does_not_exist_is_not_deleted()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        string name = Name();
        await Refusal.IsAsync(StatusCode.NotFound, $"namespace \"{name}\": not found", _namespaces.DeleteAsync(new DeleteNamespaceRequest { Name = name }));
    }

    [SkippableFact]
    public async Task A_namespace_that_holds_something_is_not_deleted_and_says_what()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        string name = Name();
        Metadata headers = Face.In(name);
        Images.ImagesClient images = new(face.Invoker);
        Containers.ContainersClient containers = new(face.Invoker);
        await images.CreateAsync(
            new CreateImageRequest { Image = new Image { Name = "i", Target = new Descriptor { Digest = Digest, Size = 5, MediaType = "text/plain" } } }, headers);
        await Refusal.IsAsync(
            StatusCode.FailedPrecondition,
            $"namespace \"{name}\" must be empty, but it still has images: failed precondition",
            _namespaces.DeleteAsync(new DeleteNamespaceRequest { Name = name }));
        await containers.CreateAsync(
            new CreateContainerRequest
            {
                Container = new Container { Id = "c", Runtime = new Container.Types.Runtime { Name = "io.containerd.runc.v2" }, Spec = new Any { TypeUrl = "x" } },
            },
            headers);
        await Refusal.IsAsync(
            StatusCode.FailedPrecondition,
            $"namespace \"{name}\" must be empty, but it still has images, containers: failed precondition",
            _namespaces.DeleteAsync(new DeleteNamespaceRequest { Name = name }));
        await images.DeleteAsync(new DeleteImageRequest { Name = "i", Sync = true }, headers);
        await containers.DeleteAsync(new DeleteContainerRequest { Id = "c" }, headers);
        await _namespaces.DeleteAsync(new DeleteNamespaceRequest { Name = name });
    }

    [SkippableFact]
    public async Task A_lease_does_not_keep_a_namespace()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        string name = Name();
        await new Leases.LeasesClient(face.Invoker).CreateAsync(new CreateRequest { Id = "l" }, Face.In(name));
        await _namespaces.DeleteAsync(new DeleteNamespaceRequest { Name = name });
    }

    [SkippableFact]
    public async Task Labels_are_set_one_by_one_or_all_at_once_and_nothing_else_can_be_updated()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        string name = Name();
        await UpdateAsync(name, new() { ["a"] = "1", ["b"] = "2" });
        await UpdateAsync(name, new() { ["a"] = "3" }, "labels.a");
        await UpdateAsync(name, [], "labels.b");
        Assert.Equal(new Dictionary<string, string> { ["a"] = "3" }, (await _namespaces.GetAsync(new GetNamespaceRequest { Name = name })).Namespace.Labels);
        await Refusal.IsAsync(
            StatusCode.InvalidArgument, "cannot update \"labels\" field", UpdateCallAsync(name, [], "labels"));
        await Refusal.IsAsync(
            StatusCode.InvalidArgument, "cannot update \"name\" field", UpdateCallAsync(name, [], "name"));
        await _namespaces.DeleteAsync(new DeleteNamespaceRequest { Name = name });
    }

    [SkippableFact]
    public async Task A_label_is_as_long_as_a_label_may_be()
    {
        Skip.IfNot(Repository.Missing.Length == 0, Repository.Missing);
        string name = Name();
        await Refusal.MatchesAsync(
            StatusCode.Unknown,
            @"^namespace.Labels: label key and value length \(4097 bytes\) greater than maximum size \(4096 bytes\), key: key: invalid argument$",
            UpdateCallAsync(name, new() { ["key"] = new string('v', 4094) }));
        await Refusal.MatchesAsync(
            StatusCode.InvalidArgument,
            @"^namespace.Labels: label key and value length \(4097 bytes\) greater than maximum size \(4096 bytes\), key: key: invalid argument$",
            _namespaces.CreateAsync(new CreateNamespaceRequest { Namespace = new Namespace { Name = name, Labels = { ["key"] = new string('v', 4094) } } }));
    }

    private static string Name() => $"n{Guid.NewGuid():N}";

    private AsyncUnaryCall<CreateNamespaceResponse> CreateAsync(string name) =>
        _namespaces.CreateAsync(new CreateNamespaceRequest { Namespace = new Namespace { Name = name } });

    private async Task UpdateAsync(string name, Dictionary<string, string> labels, params string[] mask) => await UpdateCallAsync(name, labels, mask);

    private AsyncUnaryCall<UpdateNamespaceResponse> UpdateCallAsync(string name, Dictionary<string, string> labels, params string[] mask) =>
        _namespaces.UpdateAsync(new UpdateNamespaceRequest
        {
            Namespace = new Namespace { Name = name, Labels = { labels } },
            UpdateMask = mask.Length == 0 ? null : new FieldMask { Paths = { mask } },
        });
}
