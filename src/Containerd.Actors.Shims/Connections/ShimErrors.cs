// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Ttrpc;

namespace Containerd.Actors.Shims.Connections;

/// <summary>A shim's status as a refusal: its own text, the class by its code.</summary>
public static class ShimErrors
{
    /// <summary>Maps the status. Codes outside of gRPC's, which are ttrpc's too, are unknown.</summary>
    public static Error Of(int code, string text) => new(KindOf((TtrpcCode)code), text);

    private static ErrorKind KindOf(TtrpcCode code) => code switch
    {
        TtrpcCode.Canceled => ErrorKind.Canceled,
        TtrpcCode.InvalidArgument => ErrorKind.InvalidArgument,
        TtrpcCode.DeadlineExceeded => ErrorKind.DeadlineExceeded,
        TtrpcCode.NotFound => ErrorKind.NotFound,
        TtrpcCode.AlreadyExists => ErrorKind.AlreadyExists,
        TtrpcCode.PermissionDenied => ErrorKind.PermissionDenied,
        TtrpcCode.ResourceExhausted => ErrorKind.ResourceExhausted,
        TtrpcCode.FailedPrecondition => ErrorKind.FailedPrecondition,
        TtrpcCode.Aborted => ErrorKind.Aborted,
        TtrpcCode.OutOfRange => ErrorKind.OutOfRange,
        TtrpcCode.Unimplemented => ErrorKind.NotImplemented,
        TtrpcCode.Internal => ErrorKind.Internal,
        TtrpcCode.Unavailable => ErrorKind.Unavailable,
        TtrpcCode.DataLoss => ErrorKind.DataLoss,
        TtrpcCode.Unauthenticated => ErrorKind.Unauthenticated,
        _ => ErrorKind.Unknown,
    };
}
