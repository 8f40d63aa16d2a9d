// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Protocol.Tasks;

/// <summary>Where a process reads and writes, as the client named it; the daemon never touches the data.</summary>
/// <param name="Stdin">Path of a FIFO; empty for none.</param>
/// <param name="Stdout">Path or URI (fifo, file, binary); empty for none.</param>
/// <param name="Stderr">Path or URI; empty for none or with a terminal.</param>
/// <param name="Terminal">True when a pseudo-terminal carries all three.</param>
public sealed record ProcessStdio(string Stdin, string Stdout, string Stderr, bool Terminal);
