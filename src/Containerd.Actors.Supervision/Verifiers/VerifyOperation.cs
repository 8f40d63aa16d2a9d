// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Akka.Actor;
using Akka.Event;
using Containerd.Actors.Core.Executor;
using Containerd.Actors.Oci.Images;
using Containerd.Actors.Protocol.Errors;
using Containerd.Actors.Protocol.Messages;
using Containerd.Actors.Protocol.Pulls;
using Error = Containerd.Actors.Protocol.Errors.Error;

namespace Containerd.Actors.Supervision.Verifiers;

/// <summary>Asks the verifiers one after the other about one image. Whatever goes wrong is a refusal.</summary>
/// <remarks>
/// <code>
/// listing --> asking the first --accepts--> asking the next ... --> accepted
///    |             |
///    +-------------+-- refuses, fails, takes too long --> refused
/// </code>
/// The arguments are those of containerd's verifiers: <c>-name REF -digest D -stdin-media-type T</c>, the descriptor on standard input;
/// zero accepts, and standard output is the reason.
/// </remarks>
internal sealed class VerifyOperation : UntypedActor
{
    private const string DescriptorType = "application/vnd.oci.descriptor.v1+json";
    private const int ReasonBytesMax = 16 << 10;

    // For the start of the program and the wait for a lane, so that the program's own limit is the one that is met.
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(30);

    private readonly VerifierCommands.Verify _verify;
    private readonly IActorRef _replyTo;
    private readonly IActorRef _executor;
    private readonly VerifierSettings _settings;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly Queue<string> _left = new();
    private bool _answered;

    public VerifyOperation(VerifierCommands.Verify verify, IActorRef replyTo, IActorRef executor, VerifierSettings settings)
    {
        (_verify, _replyTo, _executor, _settings) = (verify, replyTo, executor, settings);
        executor.Tell(new Execute(new Effects.ListPrograms(settings.Directory)));
    }

    public static Props Props(VerifierCommands.Verify verify, IActorRef replyTo, IActorRef executor, VerifierSettings settings) =>
        Akka.Actor.Props.Create(() => new VerifyOperation(verify, replyTo, executor, settings));

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case Outcome.Done { Effect: Effects.ListPrograms, Value: var found }: Begin(found as string[]); break;
            case Outcome.Done { Effect: Effects.RunProgram run, Value: ProgramResult result }: Judge(run, result); break;
            case Outcome { Refusal: { } error } outcome: Refuse(error.While($"verifier {Path.GetFileName(outcome.Effect.Subject)}")); break;
            default: Unhandled(message); break;
        }
    }

    protected override void PostStop()
    {
        if (!_answered)
        {
            Answer(Blocked("verification ended early"));
        }
    }

    private void Begin(string[]? programs)
    {
        if (programs is null or [])
        {
            string missing = $"{_settings.Directory} {(programs is null ? "does not exist" : "holds no verifier")}";
            if (_settings.IsRequired)
            {
                Refuse(Error.Unknown($"{missing} ({VerifierSettings.Path}.required)"));
            }
            else
            {
                _log.Debug("{0}: {1}: the image is accepted", _verify.Reference, missing);
                Accept();
            }
        }
        else if (programs.Length > _settings.VerifiersMax)
        {
            Refuse(new Error(ErrorKind.ResourceExhausted,
                $"{programs.Length} verifiers in {_settings.Directory} are more than {_settings.VerifiersMax} ({VerifierSettings.Path}.verifiers-max)"));
        }
        else
        {
            foreach (string program in programs)
            {
                _left.Enqueue(program);
            }

            AskNext();
        }
    }

    private void AskNext()
    {
        if (!_left.TryDequeue(out string? program))
        {
            Accept();
            return;
        }

        Effects.RunProgram run = new(
            program,
            ["-name", _verify.Reference, "-digest", _verify.Target.Digest.ToString(), "-stdin-media-type", DescriptorType],
            Document(_verify.Target),
            _settings.TimeLimit,
            ReasonBytesMax);
        _executor.Tell(new Execute(run, _settings.TimeLimit + Margin));
    }

    private void Judge(Effects.RunProgram run, ProgramResult result)
    {
        string name = Path.GetFileName(run.Path);
        string reason = result.Output.Trim();
        if (result.ErrorOutput.Trim() is { Length: > 0 } said)
        {
            _log.Info("verifier {0} on {1}: {2}", name, _verify.Reference, said);
        }

        if (result.IsTimedOut)
        {
            Refuse(new Error(ErrorKind.DeadlineExceeded,
                $"verifier {name} has not judged within {_settings.TimeLimit.TotalSeconds:0.###} s ({VerifierSettings.Path}.time-limit)"));
        }
        else if (result.Status != 0)
        {
            Answer(Error.Unknown(
                $"image verifier bindir blocked pull of {_verify.Reference} with digest {_verify.Target.Digest} for reason: verifier {name} rejected image (exit code {result.Status}): {reason}"));
            Context.Stop(Self);
        }
        else
        {
            _log.Debug("verifier {0} accepts {1}: {2}", name, _verify.Reference, reason);
            AskNext();
        }
    }

    // Written as Go writes it: media types hold a plus sign, and a verifier may be a script that looks for one.
    private static byte[] Document(Descriptor descriptor)
    {
        ArrayBufferWriter<byte> bytes = new();
        using (Utf8JsonWriter writer = new(bytes, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            JsonSerializer.Serialize(writer, descriptor, OciJson.Default.Descriptor);
        }

        return bytes.WrittenSpan.ToArray();
    }

    private void Accept()
    {
        Answer(null);
        Context.Stop(Self);
    }

    private void Refuse(Error cause)
    {
        Answer(Blocked(cause.Text) with { Kind = cause.Kind });
        Context.Stop(Self);
    }

    private void Answer(Error? refusal)
    {
        _answered = true;
        _replyTo.Tell(refusal is null ? Reply.Done() : Reply.Refused<Nothing>(refusal));
    }

    private Error Blocked(string cause) => Error.Unknown(
        $"blocking pull of {_verify.Reference} with digest {_verify.Target.Digest}: image verifier bindir returned error: {cause}");
}
