// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Oci.References;

namespace Containerd.Actors.Oci.Tests.References;

public sealed class StoredNamesSpecs
{
    [Fact]
    public void Latest_is_tried_only_where_neither_tag_nor_digest_is_given()
    {
        Assert.Equal(["localhost:5000/a", "localhost:5000/a:latest"], StoredNames.Candidates("localhost:5000/a"));
        Assert.Equal(["a:1"], StoredNames.Candidates("a:1"));
        Assert.Equal(["a@sha256:00"], StoredNames.Candidates("a@sha256:00"));
    }
}
