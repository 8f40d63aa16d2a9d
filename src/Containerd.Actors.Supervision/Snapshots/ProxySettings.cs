// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Supervision.Snapshots;

/// <summary>Bounds of one proxied snapshotter.</summary>
/// <param name="OperationsMax">Most requests with the plugin at one time; more are refused.</param>
/// <param name="AnswerTimeout">Longest wait for an answer of a namespace.</param>
public sealed record ProxySettings(int OperationsMax, TimeSpan AnswerTimeout);
