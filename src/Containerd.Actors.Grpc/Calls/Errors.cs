// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Protocol.Errors;
using Grpc.Core;

namespace Containerd.Actors.Grpc.Calls;

/// <summary>Refusals as gRPC statuses: the one table of this face.</summary>
public static class Errors
{
    /// <summary>The gRPC code of a class; classes that share a code are told apart by the text.</summary>
    public static StatusCode Code(ErrorKind kind) => kind switch
    {
        ErrorKind.Unknown => StatusCode.Unknown,
        ErrorKind.InvalidArgument => StatusCode.InvalidArgument,
        ErrorKind.NotFound => StatusCode.NotFound,
        ErrorKind.AlreadyExists => StatusCode.AlreadyExists,
        ErrorKind.PermissionDenied => StatusCode.PermissionDenied,
        ErrorKind.ResourceExhausted => StatusCode.ResourceExhausted,
        ErrorKind.FailedPrecondition or ErrorKind.Conflict or ErrorKind.NotModified => StatusCode.FailedPrecondition,
        ErrorKind.Aborted => StatusCode.Aborted,
        ErrorKind.OutOfRange => StatusCode.OutOfRange,
        ErrorKind.NotImplemented => StatusCode.Unimplemented,
        ErrorKind.Internal => StatusCode.Internal,
        ErrorKind.Unavailable => StatusCode.Unavailable,
        ErrorKind.DataLoss => StatusCode.DataLoss,
        ErrorKind.Unauthenticated => StatusCode.Unauthenticated,
        ErrorKind.Canceled => StatusCode.Cancelled,
        ErrorKind.DeadlineExceeded => StatusCode.DeadlineExceeded,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
    };

    /// <summary>The refusal as the exception that ends a call.</summary>
    public static RpcException ToRpcException(this Error error) => new(new Status(Code(error.Kind), error.Text));
}
