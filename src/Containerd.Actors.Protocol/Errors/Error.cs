// SPDX-License-Identifier: Apache-2.0

namespace Containerd.Actors.Protocol.Errors;

/// <summary>A refusal as a value: its class and a text that names the object first.</summary>
/// <param name="Kind">The class.</param>
/// <param name="Message">Lower case, no full stop, without the class behind it; <see cref="Text"/> adds that.</param>
public sealed record Error(ErrorKind Kind, string Message)
{
    /// <summary>True for the few texts that containerd writes without their class behind.</summary>
    public bool IsBare { get; init; }

    /// <summary>The message as containerd writes it: with the class behind it, in some texts before it, unless it is <see cref="ErrorKind.Unknown"/>.</summary>
    public string Text => IsBare || Kind == ErrorKind.Unknown || NamesClass ? Message : $"{Message}: {Kind.Text()}";

    private bool NamesClass =>
        Message.EndsWith(Kind.Text(), StringComparison.Ordinal) || Message.StartsWith($"{Kind.Text()}: ", StringComparison.Ordinal);

    /// <summary>This refusal with what was being done put before it.</summary>
    public Error While(string doing) => this with { Message = $"{doing}: {Message}" };

    /// <summary>The object does not exist.</summary>
    public static Error NotFound(string message) => new(ErrorKind.NotFound, message);

    /// <summary>The object exists already.</summary>
    public static Error AlreadyExists(string message) => new(ErrorKind.AlreadyExists, message);

    /// <summary>The request can never succeed as it is.</summary>
    public static Error Invalid(string message) => new(ErrorKind.InvalidArgument, message);

    /// <summary>The object is not in a state that allows the request.</summary>
    public static Error FailedPrecondition(string message) => new(ErrorKind.FailedPrecondition, message);

    /// <summary>The object is busy or away.</summary>
    public static Error Unavailable(string message) => new(ErrorKind.Unavailable, message);

    /// <summary>The daemon does not serve this.</summary>
    public static Error NotImplemented(string message) => new(ErrorKind.NotImplemented, message);

    /// <summary>A refusal whose text is whole as it stands.</summary>
    public static Error Bare(ErrorKind kind, string text) => new(kind, text) { IsBare = true };

    /// <summary>A refusal without a class.</summary>
    public static Error Unknown(string message) => new(ErrorKind.Unknown, message);

    /// <inheritdoc />
    public override string ToString() => Text;
}

/// <summary>Carries a refusal out of straight-line code that has no reply to put it in; actors and faces turn it back into a value.</summary>
public sealed class RefusedException(Error error, Exception? inner = null) : Exception(error.Text, inner)
{
    /// <summary>The refusal.</summary>
    public Error Error { get; } = error;
}
