// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Core.Namespaces;
using Containerd.Actors.Protocol.Errors;

namespace Containerd.Actors.Core.Events;

/// <summary>The rule for topics: a slash before each of one or more identifiers.</summary>
public static class Topics
{
    /// <summary>Null when the text is a topic, otherwise why not.</summary>
    public static Error? Validate(string topic)
    {
        if (topic.Length == 0)
        {
            return Error.Invalid($"envelope topic \"{topic}\": must not be empty");
        }

        if (topic[0] != '/')
        {
            return Error.Invalid($"envelope topic \"{topic}\": must start with '/'");
        }

        if (topic.Length == 1)
        {
            return Error.Invalid($"envelope topic \"{topic}\": must have at least one component");
        }

        foreach (string component in topic[1..].Split('/'))
        {
            if (Identifiers.Validate(component) is { } error)
            {
                return error.While($"envelope topic \"{topic}\": failed validation on component \"{component}\"");
            }
        }

        return null;
    }
}
