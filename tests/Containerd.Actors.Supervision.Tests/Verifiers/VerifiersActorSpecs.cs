// SPDX-License-Identifier: Apache-2.0

using Akka.Actor;
using Akka.TestKit.Xunit2;
using Containerd.Actors.Linux.Executor;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Pulls;
using Containerd.Actors.Supervision.Executor;
using Containerd.Actors.Supervision.Tests.Executor;
using Containerd.Actors.Supervision.Verifiers;

namespace Containerd.Actors.Supervision.Tests.Verifiers;

/// <summary>Verifiers that are programs, asked by real lanes.</summary>
public sealed class VerifiersActorSpecs() : TestKit(ExecutorReference.Config)
{
    private const string Reference = "docker.io/library/redis:7";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly Descriptor Target = new(MediaTypes.OciIndex, Digest.Of("index"u8), 5);

    private readonly string _directory = Directory.CreateTempSubdirectory("verifiers-").FullName;

    private string Said => Path.Combine(_directory, "..", Path.GetFileName(_directory) + ".said");

    [Fact]
    public async Task All_verifiers_are_asked_by_name_as_containerd_asks_them()
    {
        Write("b", $"echo b \"$@\" $(cat) >> {Said}; echo fine");
        Write("a", $"echo a >> {Said}");
        Assert.Null(await VerifyAsync());
        string[] lines = await File.ReadAllLinesAsync(Said);
        Assert.Equal("a", lines[0]);
        Assert.Equal(
            $"b -name {Reference} -digest {Target.Digest} -stdin-media-type application/vnd.oci.descriptor.v1+json "
            + $"{{\"mediaType\":\"{MediaTypes.OciIndex}\",\"digest\":\"{Target.Digest}\",\"size\":5}}",
            lines[1]);
    }

    [Fact]
    public async Task One_that_exits_with_another_status_refuses_with_its_reason_and_no_further_is_asked()
    {
        Write("a", "echo unsigned; exit 3");
        Write("b", $"echo b >> {Said}");
        Error? refusal = await VerifyAsync();
        Assert.Equal(
            $"image verifier bindir blocked pull of {Reference} with digest {Target.Digest} for reason: verifier a rejected image (exit code 3): unsigned",
            refusal!.Text);
        Assert.False(File.Exists(Said));
    }

    [Fact]
    public async Task One_that_cannot_be_run_refuses()
    {
        await File.WriteAllTextAsync(Path.Combine(_directory, "a"), "no program");
        Error? refusal = await VerifyAsync();
        Assert.StartsWith(
            $"blocking pull of {Reference} with digest {Target.Digest}: image verifier bindir returned error: verifier a: ", refusal!.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_that_takes_too_long_is_killed_and_refuses()
    {
        Write("a", "sleep 1000");
        Error? refusal = await VerifyAsync(settings => settings with { TimeLimit = TimeSpan.FromMilliseconds(200) });
        Assert.Equal(ErrorKind.DeadlineExceeded, refusal!.Kind);
        Assert.Contains("verifier a has not judged within 0.2 s (containerd.pulls.verifiers.time-limit)", refusal.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task More_than_the_bound_refuse_by_its_key()
    {
        Write("a", "true");
        Write("b", "true");
        Error? refusal = await VerifyAsync(settings => settings with { VerifiersMax = 1 });
        Assert.Equal(ErrorKind.ResourceExhausted, refusal!.Kind);
        Assert.Contains("containerd.pulls.verifiers.verifiers-max", refusal.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_directory_or_with_an_empty_one_all_is_accepted_unless_verifiers_are_required()
    {
        Assert.Null(await VerifyAsync());
        Assert.Null(await VerifyAsync(settings => settings with { Directory = _directory + "-none" }));
        Error? refusal = await VerifyAsync(settings => settings with { Directory = _directory + "-none", IsRequired = true });
        Assert.Contains("does not exist (containerd.pulls.verifiers.required)", refusal!.Text, StringComparison.Ordinal);
        refusal = await VerifyAsync(settings => settings with { IsRequired = true });
        Assert.Contains("holds no verifier", refusal!.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_no_directory_refuses()
    {
        string file = Path.Combine(_directory, "file");
        await File.WriteAllTextAsync(file, "");
        Error? refusal = await VerifyAsync(settings => settings with { Directory = file });
        Assert.StartsWith("blocking pull of ", refusal!.Text, StringComparison.Ordinal);
    }

    protected override void AfterAll()
    {
        base.AfterAll();
        Directory.Delete(_directory, recursive: true);
        File.Delete(Said);
    }

    private void Write(string name, string script)
    {
        string path = Path.Combine(_directory, name);
        File.WriteAllText(path, $"#!/bin/sh\n{script}\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private async Task<Error?> VerifyAsync(Func<VerifierSettings, VerifierSettings>? change = null)
    {
        VerifierSettings settings = new(_directory, 10, Patience, false);
        IActorRef executor = Sys.ActorOf(SyscallExecutor.Props(ExecutorSettings.Read(ExecutorReference.Config), new LinuxEffectRunner()));
        IActorRef verifiers = Sys.ActorOf(VerifiersActor.Props(executor, change?.Invoke(settings) ?? settings));
        return await verifiers.Ask<Reply<Nothing>>(new VerifierCommands.Verify(Reference, Target), Patience) is Refused<Nothing> refused ? refused.Error : null;
    }
}
