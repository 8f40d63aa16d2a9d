// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Protocol.Errors;

/// <summary>The classes of refusal, as containerd's errdefs names them.</summary>
/// <remarks>A face maps each to its own code once; clients tell some of them apart by <see cref="ErrorKinds.Text"/> alone.</remarks>
public enum ErrorKind
{
    /// <summary>Nothing more is known than the text.</summary>
    Unknown,

    /// <summary>The request can never succeed as it is.</summary>
    InvalidArgument,

    /// <summary>The named object does not exist.</summary>
    NotFound,

    /// <summary>The named object exists already.</summary>
    AlreadyExists,

    /// <summary>The caller may not do this.</summary>
    PermissionDenied,

    /// <summary>A limit was reached; the text names it.</summary>
    ResourceExhausted,

    /// <summary>The object is not in a state that allows the request.</summary>
    FailedPrecondition,

    /// <summary>The request conflicts with another that is under way.</summary>
    Conflict,

    /// <summary>Nothing had to be changed.</summary>
    NotModified,

    /// <summary>The request was given up.</summary>
    Aborted,

    /// <summary>An offset or length lies outside of the object.</summary>
    OutOfRange,

    /// <summary>The daemon does not serve this.</summary>
    NotImplemented,

    /// <summary>An invariant was broken.</summary>
    Internal,

    /// <summary>The object is busy or away; the same request may succeed later.</summary>
    Unavailable,

    /// <summary>Stored data is damaged or lost.</summary>
    DataLoss,

    /// <summary>The caller is not known.</summary>
    Unauthenticated,

    /// <summary>The caller gave up.</summary>
    Canceled,

    /// <summary>A deadline passed.</summary>
    DeadlineExceeded,
}

/// <summary>The words of <see cref="ErrorKind"/> in texts.</summary>
public static class ErrorKinds
{
    /// <summary>The class as containerd's error texts end in it, for example <c>not found</c>.</summary>
    public static string Text(this ErrorKind kind) => kind switch
    {
        ErrorKind.Unknown => "unknown",
        ErrorKind.InvalidArgument => "invalid argument",
        ErrorKind.NotFound => "not found",
        ErrorKind.AlreadyExists => "already exists",
        ErrorKind.PermissionDenied => "permission denied",
        ErrorKind.ResourceExhausted => "resource exhausted",
        ErrorKind.FailedPrecondition => "failed precondition",
        ErrorKind.Conflict => "conflict",
        ErrorKind.NotModified => "not modified",
        ErrorKind.Aborted => "aborted",
        ErrorKind.OutOfRange => "out of range",
        ErrorKind.NotImplemented => "not implemented",
        ErrorKind.Internal => "internal",
        ErrorKind.Unavailable => "unavailable",
        ErrorKind.DataLoss => "data loss",
        ErrorKind.Unauthenticated => "unauthorized",
        ErrorKind.Canceled => "context canceled",
        ErrorKind.DeadlineExceeded => "context deadline exceeded",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
    };
}
