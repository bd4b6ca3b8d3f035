"""The groups of options in the help of ``learnrate sweep``, the most used options first."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand

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
        *("horizon", "prune", "checkpoint", "checkpoint_every", "memory", "block_size", "cache"),
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


class GroupedCommand(TyperCommand):
    """A command whose help lists its options under the headings of `GROUPS`."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments and options; an option that is in no group comes last."""
        records = {param.name: param.get_help_record(ctx) for param in self.get_params(ctx)}
        kinds = {param.name: param.param_type_name for param in self.get_params(ctx)}
        arguments = tuple(str(name) for name, kind in kinds.items() if kind == "argument")
        grouped = {*arguments, *(name for names in GROUPS.values() for name in names)}
        rest = tuple(str(name) for name in records if name not in grouped)
        for heading, names in {"Arguments": arguments, **GROUPS, "More": rest}.items():
            shown = [record for name in names if (record := records.get(name)) is not None]
            if shown:
                with formatter.section(heading):
                    formatter.write_dl(shown)
