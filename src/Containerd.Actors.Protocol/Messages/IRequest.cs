// SPDX-License-Identifier: Apache-2.0

using Containerd.Actors.Protocol.Errors;

namespace Containerd.Actors.Protocol.Messages;

/// <summary>A message that is answered, whatever the answer holds.</summary>
public interface IRequest
{
    /// <summary>The answer that refuses this request; for those who route requests without knowing them.</summary>
    object Refusal(Error error);
}

/// <summary>A message that is answered with <see cref="Reply{T}"/>.</summary>
/// <typeparam name="T">What the answer holds when the request was done.</typeparam>
public interface IRequest<T> : IRequest
{
    /// <inheritdoc />
    object IRequest.Refusal(Error error) => Reply.Refused<T>(error);
}

/// <summary>A message for something that lives in a namespace; supervisors route by it.</summary>
public interface IInNamespace
{
    /// <summary>The namespace.</summary>
    string Namespace { get; }
}

/// <summary>A message for one container or its task; supervisors route by it.</summary>
public interface IForContainer : IInNamespace
{
    /// <summary>Id of the container.</summary>
    string ContainerId { get; }
}

/// <summary>The answer to an <see cref="IRequest{T}"/>: done with a value, or refused.</summary>
public abstract record Reply<T>
{
    private protected Reply()
    {
    }

    /// <summary>The value, or the refusal thrown.</summary>
    /// <exception cref="RefusedException">The request was refused.</exception>
    public T Value => this switch
    {
        Done<T> done => done.Result,
        Refused<T> refused => throw new RefusedException(refused.Error),
        _ => throw new InvalidOperationException("a reply is done or refused"),
    };
}

/// <summary>The request was done, and what it changed is stored.</summary>
public sealed record Done<T>(T Result) : Reply<T>;

/// <summary>The request was refused and changed nothing that the error does not name.</summary>
public sealed record Refused<T>(Error Error) : Reply<T>;

/// <summary>The value of requests that have nothing to say when done.</summary>
public sealed record Nothing
{
    /// <summary>The only value.</summary>
    public static Nothing Value { get; } = new();

    private Nothing()
    {
    }
}

/// <summary>Short forms for making replies.</summary>
public static class Reply
{
    /// <summary>Done, with nothing to say.</summary>
    public static Reply<Nothing> Done() => new Done<Nothing>(Nothing.Value);

    /// <summary>Done, with this value.</summary>
    public static Reply<T> Done<T>(T value) => new Done<T>(value);

    /// <summary>Refused, for this reason.</summary>
    public static Reply<T> Refused<T>(Error error) => new Refused<T>(error);
}
