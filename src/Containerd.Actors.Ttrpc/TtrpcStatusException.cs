// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Ttrpc.Frames;
using Google.Rpc;

namespace Containerd.Actors.Ttrpc;

/// <summary>A call was answered with an error, or a handler wants to answer with one.</summary>
/// <param name="code">The class; values outside of the enumeration are passed on as they came.</param>
/// <param name="message">The text, as it is on the wire.</param>
public sealed class TtrpcStatusException(TtrpcCode code, string message) : Exception(message)
{
    /// <summary>The class.</summary>
    public TtrpcCode Code { get; } = code;

    internal static TtrpcStatusException TooLong(uint length) => new(
        TtrpcCode.ResourceExhausted, $"message length {length} exceed maximum message size of {FrameHeader.LengthMax}");

    internal static TtrpcStatusException From(Status status) => new((TtrpcCode)status.Code, status.Message);

    /// <summary>The status under which a failure of a handler is answered; classes as Go's server gives them.</summary>
    internal static Status StatusOf(Exception failure) => failure switch
    {
        TtrpcStatusException refused => Status(refused.Code, refused.Message),
        OperationCanceledException => Status(TtrpcCode.Canceled, "context canceled"),
        TimeoutException => Status(TtrpcCode.DeadlineExceeded, "context deadline exceeded"),
        EndOfStreamException => Status(TtrpcCode.OutOfRange, failure.Message),
        FileNotFoundException or DirectoryNotFoundException => Status(TtrpcCode.NotFound, failure.Message),
        UnauthorizedAccessException => Status(TtrpcCode.PermissionDenied, failure.Message),
        ArgumentException => Status(TtrpcCode.InvalidArgument, failure.Message),
        _ => Status(TtrpcCode.Unknown, failure.Message),
    };

    internal static Status Status(TtrpcCode code, string message) => new() { Code = (int)code, Message = message };
}

/// <summary>The connection ended before the call was answered; whether the peer carried it out is unknown.</summary>
public sealed class TtrpcClosedException(Exception? inner = null) : Exception("ttrpc: closed", inner);
