// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.TestKit.Contracts;
using Containerd.Actors.TestKit.Daemons;

namespace Containerd.Actors.Integration.Tests.Contracts;

public sealed class OverlaySnapshotterSpecs(ActorsDaemon daemon) : SnapshotterContract(daemon, "overlayfs"), IClassFixture<ActorsDaemon>;

public sealed class NativeSnapshotterSpecs(ActorsDaemon daemon) : SnapshotterContract(daemon, "native"), IClassFixture<ActorsDaemon>
{
    protected override bool? TakesParentAtCommit => false;
}

public sealed class ContentStoreSpecs(ActorsDaemon daemon) : ContentStoreContract(daemon), IClassFixture<ActorsDaemon>;

public sealed class OverlayDifferSpecs(ActorsDaemon daemon) : DifferContract(daemon, "overlayfs"), IClassFixture<ActorsDaemon>;

public sealed class NativeDifferSpecs(ActorsDaemon daemon) : DifferContract(daemon, "native"), IClassFixture<ActorsDaemon>;
