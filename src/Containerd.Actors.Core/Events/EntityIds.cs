// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Core.Events;

/// <summary>Persistence ids: the storage keys of entities. Changing one is a migration.</summary>
public static class EntityIds
{
    /// <summary>The node itself.</summary>
    public const string Node = "node";

    /// <summary>Prefix of all containers.</summary>
    public const string ContainerPrefix = "container/";

    /// <summary>Prefix of all tasks.</summary>
    public const string TaskPrefix = "task/";

    /// <summary>Prefix of all namespaces.</summary>
    public const string NamespacePrefix = "namespace/";

    /// <summary>Prefix of all pulls.</summary>
    public const string PullPrefix = "pull/";

    /// <summary>Prefix of all transfers.</summary>
    public const string TransferPrefix = "transfer/";

    /// <summary>Prefix of all sandboxes.</summary>
    public const string SandboxPrefix = "sandbox/";

    /// <summary>A namespace with its images, leases, content and snapshots.</summary>
    public static string Namespace(string name) => NamespacePrefix + name;

    /// <summary>A container's record.</summary>
    public static string Container(string ns, string id) => $"{ContainerPrefix}{ns}/{id}";

    /// <summary>A container's task with its processes.</summary>
    public static string Task(string ns, string id) => $"{TaskPrefix}{ns}/{id}";

    /// <summary>A sandbox: its record and what runs.</summary>
    public static string Sandbox(string ns, string id) => $"{SandboxPrefix}{ns}/{id}";

    /// <summary>A pull.</summary>
    public static string Pull(string ns, string operation) => $"{PullPrefix}{ns}/{operation}";

    /// <summary>A push, an import or an export.</summary>
    public static string Transfer(string ns, string operation) => $"{TransferPrefix}{ns}/{operation}";

    /// <summary>Events that clients published, of all namespaces.</summary>
    public const string Publications = "publications";
}
