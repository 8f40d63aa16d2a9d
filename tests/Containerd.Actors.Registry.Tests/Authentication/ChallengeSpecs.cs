// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Registry.Authentication;
using CsCheck;

namespace Containerd.Actors.Registry.Tests.Authentication;

public sealed class ChallengeSpecs
{
    [Fact]
    public void Several_challenges_share_a_header()
    {
        IReadOnlyList<Challenge> read = Challenge.Parse("Basic realm=\"a, b\", Bearer realm=\"https://t/x\",service=s , scope=\"repository:a:pull,push\"");
        Assert.Equal(["basic", "bearer"], read.Select(challenge => challenge.Scheme));
        Assert.Equal("a, b", read[0]["realm"]);
        Assert.Equal("repository:a:pull,push", read[1]["scope"]);
        Assert.Equal("s", read[1]["service"]);
    }

    [Fact]
    public void Escapes_are_undone() => Assert.Equal("a\"b", Challenge.Parse("Bearer realm=\"a\\\"b\"")[0]["realm"]);

    [Fact]
    public void Any_text_is_read_to_an_end() =>
        Gen.String[Gen.Char["Be =,\"\\a/"], 0, 40].Sample(text => Assert.InRange(Challenge.Parse(text).Count, 0, 16));

    [Fact]
    public void Docker_config_credentials_are_found_by_host()
    {
        byte[] json = """{"auths":{"https://index.docker.io/v1/":{"auth":"dTpw"},"h:5000":{"identitytoken":"i"}}}"""u8.ToArray();
        Assert.Equal(("u", "p"), (DockerConfigFile.Find(json, "docker.io")!.Username, DockerConfigFile.Find(json, "docker.io")!.Secret));
        Assert.Equal("i", DockerConfigFile.Find(json, "h:5000")!.IdentityToken);
        Assert.Null(DockerConfigFile.Find(json, "other"));
    }
}
