// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Ttrpc;

/// <summary>The status codes of gRPC, which ttrpc shares.</summary>
public enum TtrpcCode
{
    /// <summary>Success; never thrown.</summary>
    Ok = 0,

    /// <summary>The caller gave up.</summary>
    Canceled = 1,

    /// <summary>Nothing more is known than the text.</summary>
    Unknown = 2,

    /// <summary>The request can never succeed as it is.</summary>
    InvalidArgument = 3,

    /// <summary>The deadline passed.</summary>
    DeadlineExceeded = 4,

    /// <summary>The object does not exist.</summary>
    NotFound = 5,

    /// <summary>The object exists already.</summary>
    AlreadyExists = 6,

    /// <summary>The caller may not do this.</summary>
    PermissionDenied = 7,

    /// <summary>A limit was reached.</summary>
    ResourceExhausted = 8,

    /// <summary>The object is not in a state that allows the request.</summary>
    FailedPrecondition = 9,

    /// <summary>The request was given up.</summary>
    Aborted = 10,

    /// <summary>Outside of the object.</summary>
    OutOfRange = 11,

    /// <summary>Service or method are not served.</summary>
    Unimplemented = 12,

    /// <summary>An invariant was broken.</summary>
    Internal = 13,

    /// <summary>The object is busy or away.</summary>
    Unavailable = 14,

    /// <summary>Data is damaged or lost.</summary>
    DataLoss = 15,

    /// <summary>The caller is not known.</summary>
    Unauthenticated = 16,
}
