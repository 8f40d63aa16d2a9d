// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.TestKit.Contracts;
using Containerd.Actors.TestKit.Daemons;
using Grpc.Core;

namespace Containerd.Actors.Integration.Tests.Contracts;

// The contracts are judged by containerd itself, in the version that the machine has: what is younger than 1.6 is told apart.

public sealed class StockOverlaySnapshotterSpecs(StockDaemon daemon) : SnapshotterContract(daemon, "overlayfs"), IClassFixture<StockDaemon>
{
    protected override bool? TakesParentAtCommit => null;

    protected override bool CleansUp => false;

    protected override bool LeasesTargets => false;
}

public sealed class StockNativeSnapshotterSpecs(StockDaemon daemon) : SnapshotterContract(daemon, "native"), IClassFixture<StockDaemon>
{
    protected override bool? TakesParentAtCommit => null;

    protected override bool CleansUp => false;

    protected override bool LeasesTargets => false;
}

public sealed class StockContentStoreSpecs(StockDaemon daemon) : ContentStoreContract(daemon), IClassFixture<StockDaemon>;

public sealed class StockDifferSpecs(StockDaemon daemon) : DifferContract(daemon, "overlayfs"), IClassFixture<StockDaemon>
{
    protected override bool MakesZstandard => false;

    protected override StatusCode UnknownType => StatusCode.Unknown;
}
