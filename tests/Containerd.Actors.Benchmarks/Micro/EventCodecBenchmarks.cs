// SPDX-License-Identifier: Apache-2.0

using BenchmarkDotNet.Attributes;
using Containerd.Actors.Benchmarks.Journals;
using Containerd.Actors.Core.Events;
using Containerd.Actors.Persistence.Stored;

namespace Containerd.Actors.Benchmarks.Micro;

/// <summary>An event on its way to the journal and back, without the disk.</summary>
[MemoryDiagnoser]
public class EventCodecBenchmarks
{
    private static readonly (string Manifest, byte[] Payload) Written = EventCodec.Write(JournalLoad.Stored.Event);

    [Benchmark]
    public byte[] Encode_an_event() => EventCodec.Write(JournalLoad.Stored.Event).Payload;

    [Benchmark]
    public DomainEvent Decode_an_event() => EventCodec.Read(Written.Manifest, Written.Payload);
}
