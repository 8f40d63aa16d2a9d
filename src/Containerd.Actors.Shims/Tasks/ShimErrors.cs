// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Ttrpc;

namespace Containerd.Actors.Shims.Tasks;

/// <summary>A shim's status as a refusal: its own text, the class by its code.</summary>
public static class ShimErrors
{
    /// <summary>Maps the status. Codes outside of gRPC's are unknown.</summary>
    public static Error Of(TtrpcStatusException status)
    {
        ArgumentNullException.ThrowIfNull(status);
        return new Error(KindOf(status.Code), status.Message);
    }

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
