// SPDX-License-Identifier: Apache-2.0

using System.Collections.Immutable;
using Akka.Actor;
using Akka.Configuration;
using Akka.TestKit.Xunit2;
using Containerd.Actors.Core.Content;
using Containerd.Actors.Core.Images;
using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Values;
using Containerd.Actors.Supervision.Namespaces;

namespace Containerd.Actors.Supervision.Tests.Namespaces;

/// <summary>Namespaces on a journal in memory.</summary>
public abstract class NamespacesFixture : TestKit
{
    protected const string Ns = "default";
    protected static readonly Caller By = new(Principal.User(0, 0, 42, "/usr/bin/ctr"));
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    protected NamespacesFixture()
        : base(ConfigurationFactory.ParseString($$"""
            akka.loglevel = OFF
            akka.persistence.journal.plugin = "failing"
            failing.class = "{{typeof(FailingJournal).AssemblyQualifiedName}}"
            failing.plugin-dispatcher = "akka.actor.default-dispatcher"
            akka.persistence.snapshot-store.plugin = "akka.persistence.snapshot-store.inmem"
            """))
    {
    }

    protected static NamespaceSettings Settings { get; } = NamespaceSettings.From(NamespaceSettings.Default) with
    {
        BackoffMin = TimeSpan.FromMilliseconds(20),
        SavepointEvery = 3,
    };

    protected IActorRef Namespace(params ImmutableArray<NamespaceChild> children) =>
        Sys.ActorOf(NamespaceActor.Props(Ns, Settings, children, TimeProvider.System));

    protected static async Task<Reply<T>> Ask<T>(IActorRef actor, IRequest<T> request) => await actor.Ask<Reply<T>>(request, Patience);

    protected static async Task<T> Do<T>(IActorRef actor, IRequest<T> request) => (await Ask(actor, request)).Value;

    protected static async Task<string> Refusal<T>(IActorRef actor, IRequest<T> request) =>
        Assert.IsType<Refused<T>>(await Ask(actor, request)).Error.Text;

    protected static ImageCommands.Create Image(string name, string ns = Ns) => new(
        ns, name, new Descriptor("type", Digest.Of([1]), 1), Labels.None, null, By);

    protected static ContentCommands.Add Blob(byte content, string ns = Ns) => new(ns, Digest.Of([content]), 1, Labels.None, "", By);

    protected static NamespaceQueries.GetState State(string ns = Ns) => new(ns);
}
