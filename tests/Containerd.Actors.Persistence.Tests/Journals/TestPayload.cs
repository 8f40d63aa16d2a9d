// SPDX-License-Identifier: Apache-2.0

using System.Text;
using Akka.Actor;
using Akka.Serialization;

namespace Containerd.Actors.Persistence.Tests.Journals;

/// <summary>A payload of somebody else, with a reference to an actor in it.</summary>
public sealed record TestPayload(IActorRef Actor);

/// <summary>A payload whose serializer fails.</summary>
public sealed record UnserializablePayload;

/// <summary>Writes the two payloads, or fails to.</summary>
public sealed class TestSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    public const string Hocon = """
        akka.actor {
          serializers.test-payload = "Containerd.Actors.Persistence.Tests.Journals.TestSerializer, Containerd.Actors.Persistence.Tests"
          serialization-bindings {
            "Containerd.Actors.Persistence.Tests.Journals.TestPayload, Containerd.Actors.Persistence.Tests" = test-payload
            "Containerd.Actors.Persistence.Tests.Journals.UnserializablePayload, Containerd.Actors.Persistence.Tests" = test-payload
          }
        }
        """;

    public override int Identifier => 666;

    public override string Manifest(object o) => "A";

    public override byte[] ToBinary(object obj) => obj is TestPayload payload
        ? Encoding.UTF8.GetBytes(Akka.Serialization.Serialization.SerializedActorPath(payload.Actor))
        : throw new NotSupportedException("cannot be serialized");

    public override object FromBinary(byte[] bytes, string manifest) =>
        new TestPayload(system.Provider.ResolveActorRef(Encoding.UTF8.GetString(bytes)));
}
