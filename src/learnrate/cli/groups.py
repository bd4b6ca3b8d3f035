"""The groups of options in the help of ``learnrate sweep``, the most used options first."""

from __future__ import annotations

from learnrate.cli.help import Command

__all__ = ["GROUPS", "GroupedCommand"]

GROUPS = {
    "Options that most people use": (
        *(
            "target",
            "lrs",
            "batch_size",
            "epochs",
            "val",
            "missing",
            "seed",
            "seeds",
            "save",
            "why",
        ),
    ),
    "What is learned from": ("features", "drop", "dates", "standardize"),
    "How the table is read": (
        *("decimal", "thousands", "header", "skip_lines", "comment", "sep", "encoding", "sheet"),
    ),
    "How it is trained": (
        *("loss", "optimizer", "optimizer_option"),
        *("sampling", "momentum", "weight_decay", "schedule", "warmup"),
        *("dtype", "engine", "threads"),
    ),
    "A PyTorch model": (*("model", "device", "steps", "eval_every", "step", "clip", "precision"),),
    "Long runs, large tables, several machines": (
        *("horizon", "prune", "checkpoint", "checkpoint_every", "checkpoint_required"),
        *("memory", "block_size", "cache"),
        *("cluster", "cluster_split"),
    ),
    "What is shown and written": (
        "save_rates",
        "live",
        "linear",
        "lang",
        "as_json",
        "quiet",
        "help",
    ),
}
"""For each heading its options, in order."""


class GroupedCommand(Command):
    """A command whose help lists its options under the headings of `GROUPS`."""

    headings = GROUPS
