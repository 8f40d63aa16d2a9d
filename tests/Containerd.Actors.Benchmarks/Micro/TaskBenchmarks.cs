// SPDX-License-Identifier: Apache-2.0

using BenchmarkDotNet.Attributes;
using Containerd.Actors.Core.Tasks;
using Containerd.Actors.Protocol.Callers;
using Containerd.Actors.Protocol.Tasks;

namespace Containerd.Actors.Benchmarks.Micro;

/// <summary>The step that every command to a task goes through: what is asked of the shim, or the refusal; and what an event changes.</summary>
[MemoryDiagnoser]
public class TaskBenchmarks
{
    private static readonly Caller By = new(Principal.User(0, 0, 1, "/usr/bin/ctr"), "op", "trace", "");
    private static readonly TaskCommands.Kill Kill = new("default", "redis", "", 9, All: false, By);
    private static readonly TaskCommands.Pause Pause = new("default", "redis", By);
    private readonly TaskState _created = new TaskState("redis")
        .Apply(new TaskEvents.CreateRequested(TaskCreation.Runc, "/run/bundle", new ProcessStdio("", "", "", false), ""))
        .Apply(new TaskEvents.Created(42));

    [Benchmark]
    public TaskStep Decide_a_legal_command() => _created.Decide(Kill);

    [Benchmark]
    public TaskStep Decide_a_refused_command() => _created.Decide(Pause);

    [Benchmark]
    public TaskState Apply_an_event() => _created.Apply(new TaskEvents.StartRequested(""));
}
