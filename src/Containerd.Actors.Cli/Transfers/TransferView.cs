// SPDX-License-Identifier: Apache-2.0

using Containerd.Node.V1;
using Containerd.Types.Transfer;

namespace Containerd.Actors.Cli.Transfers;

/// <summary>What a transfer looks like, from the steps that the daemon tells: the whole, and each blob by its name. Pure: a step in, a view out.</summary>
internal sealed class TransferView(string subject, string stage)
{
    private readonly PullProgress _view = new() { Reference = subject, Stage = stage };
    private readonly List<string> _saved = [];
    private readonly Dictionary<string, LayerProgress> _blobs = new(StringComparer.Ordinal);

    /// <summary>Names of images that were stored.</summary>
    public IReadOnlyList<string> Saved => _saved;

    /// <summary>The view as it stands.</summary>
    public PullProgress Current => _view;

    /// <summary>Takes in a step; false when it changes nothing that is shown.</summary>
    public bool Take(Progress step)
    {
        if (step.Event == "saved")
        {
            _saved.Add(step.Name);
            return false;
        }

        if (step.Name.Length == 0 || step.Desc is null || step.Event is "pushing content" or "pushed content")
        {
            return false;
        }

        if (!_blobs.TryGetValue(step.Name, out LayerProgress? blob))
        {
            _blobs[step.Name] = blob = new LayerProgress { Digest = step.Desc.Digest, MediaType = step.Desc.MediaType };
            _view.Layers.Add(blob);
        }

        blob.Stage = Stage(step.Event);
        blob.Offset = step.Progress_;
        blob.Total = step.Desc.Size;
        return true;
    }

    /// <summary>Says how far the whole is, or how it ended.</summary>
    public PullProgress At(string stage)
    {
        _view.Stage = stage;
        return _view;
    }

    // The words of a pull, where the same is meant.
    private static string Stage(string word) => word switch
    {
        "already exists" => "exists",
        "complete" or "extracted" => "done",
        "extracting" => "unpacking",
        _ => word,
    };
}
