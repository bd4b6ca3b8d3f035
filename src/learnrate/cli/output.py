"""What ``learnrate sweep`` prints."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from learnrate.report.curves import format_rate
from learnrate.sweeps.linear import LinearSweepResult
from learnrate.sweeps.result import SweepResult

__all__ = ["print_result"]

_WIDTH = 100
_FEW = 12
"""Longer lists are cut here, with the count."""


def print_result(
    result: SweepResult,
    saved: Sequence[Path],
    *,
    why: float | None = None,
    interrupted: bool = False,
    checkpoint: Path | None = None,
) -> None:
    """Print what was trained, the table, the suggestion, the weights and the files.

    Parameters
    ----------
    result : SweepResult
    saved : sequence of Path
        Files that were written.
    why : float, optional
        A rate whose verdict is to be worked out in full.
    interrupted : bool
        Whether Ctrl-C ended the sweep early.
    checkpoint : Path, optional
        Where the sweep was saved as it ran.
    """
    from rich.console import Console
    from rich.text import Text

    from learnrate.report.terminal import curve_table

    # A file or pipe has no width of its own.
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else _WIDTH
    console = Console(highlight=False, width=width)

    def say(line: str = "") -> None:
        console.print(Text(line))

    if interrupted:
        say(f"Interrupted. This is what was finished: {result.epochs} epochs.")
        if checkpoint is not None:
            say(f"Saved in {checkpoint}: the same command goes on from there.")
    for line in _heading(result):
        say(line)
    say()
    console.print(curve_table(result.curves()))
    say()
    say(str(result.suggestion()))
    for line in result.verdict_sentences():
        say(line)
    chosen = result.suggestion().lr
    if chosen is not None and isinstance(result, LinearSweepResult):
        say(_weights(result, chosen))
    if why is not None:
        say()
        for line in _verdict(result, why):
            say(line)
    for path in saved:
        say(f"Saved {path}")


def _heading(result: SweepResult) -> Iterable[str]:
    config = result.config
    if isinstance(result, LinearSweepResult):
        data = result.data
        n, d = data.n, data.X_train.shape[1]
        held_out = f" ({data.held_out} more held out)" if data.held_out else ""
        features = "1 feature" if d == 1 else f"{d} features"
        yield f"{n:,} examples{held_out} with {features}, predicting {data.target_name}"
    else:
        yield ", ".join(f"{name}: {value}" for name, value in result.data_facts())
    seeds = f"seed {config.seed}"
    if config.seeds > 1:
        seeds = f"seeds {config.seed} to {config.seed + config.seeds - 1}"
    yield f"batch size {config.batch_size}, {result.epochs} epochs, {seeds}, engine {result.engine}"
    if not isinstance(result, LinearSweepResult):
        yield from result.remarks()
        return
    if data.left_out:
        yield "Left out: " + _some(f"{item.name} ({item.reason})" for item in data.left_out)
    if data.references:
        yield "One-hot columns are relative to: " + _some(
            f"{column}={category}" for column, category in data.references.items()
        )
    yield from data.notes


def _verdict(result: SweepResult, lr: float) -> list[str]:
    """The verdict on a rate in full, or why there is none."""
    if isinstance(result, LinearSweepResult) and result.theory is not None:
        return result.theory.verdict(lr, result.epochs).arithmetic
    return [f"{format_rate(lr)} is not judged: {result.why_no_theory}."]


def _weights(result: LinearSweepResult, lr: float) -> str:
    """The learned weights at one rate, in the user's units."""
    model = result.model(lr)
    terms = [f"{name} = {w:.4g}" for name, w in zip(model.feature_names, model.w, strict=True)]
    return f"Weights at {format_rate(lr)}, in the units of the data: {_some(terms)}; bias = {model.b:.4g}"


def _some(items: Iterable[str]) -> str:
    """The first few, and how many more there are."""
    items = list(items)
    more = f", … and {len(items) - _FEW} more (all are in --json)" if len(items) > _FEW else ""
    return ", ".join(items[:_FEW]) + more
