"""The text that ``learnrate sweep`` prints."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from learnrate._lines import line_breaks, printable
from learnrate._translation import translator
from learnrate.report.curves import counted, format_rate
from learnrate.sweeps.linear import LinearSweepResult
from learnrate.sweeps.result import SweepResult

__all__ = ["print_result", "print_where_to_go_on"]

_WIDTH = 100
_FEW = 12
"""Number of items after which a list is cut."""


def print_result(
    result: SweepResult,
    saved: Sequence[Path],
    *,
    why: float | None = None,
    interrupted: bool = False,
    checkpoint: Path | None = None,
    lang: str = "en",
) -> None:
    """Print the settings, the table, the suggestion, the weights and the files.

    Parameters
    ----------
    result : SweepResult
        The result.
    saved : sequence of Path
        Files that were written.
    why : float, optional
        A rate for which the computation of the verdict is printed.
    interrupted : bool
        Whether Ctrl-C ended the sweep early.
    checkpoint : Path, optional
        The folder in which the sweep was saved.
    lang : str
        ``en`` or ``zh``.
    """
    from rich.console import Console
    from rich.text import Text

    from learnrate.report.terminal import curve_table

    # A file or pipe has no width of its own.
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else _WIDTH
    console = Console(highlight=False, width=width)

    translate = translator(lang)

    def say(line: str = "") -> None:
        text = Text(printable(translate(line)))
        # Rich breaks lines at spaces only, of which Chinese has few.
        breaks = [] if lang == "en" else line_breaks(text.plain, console.width)
        for part in text.divide(breaks):
            part.rstrip()
            console.print(part)

    if interrupted:
        say(f"Interrupted. This is what was finished: {counted(result.length, result.unit)}.")
        if checkpoint is not None:
            say(f"Saved in {checkpoint}: the same command goes on from there.")
    for line in _heading(result):
        say(line)
    say()
    console.print(curve_table(replace(result.curves(), say=translate), console.width))
    say()
    say(str(result.suggestion()))
    if result.wanted is not None:
        say(str(result.suggestion(result.wanted)))
    for line in result.verdict_sentences():
        say(line)
    chosen = result.suggestion().lr
    if chosen is not None and isinstance(result, LinearSweepResult):
        for line in _weights(result, chosen):
            say(line)
    if why is not None:
        say()
        for line in result.prediction.arithmetic(why):
            say(line)
    for path in saved:
        say(f"Saved {path}")


def print_where_to_go_on(checkpoint: Path | None, lang: str) -> None:
    """Say on standard error that a sweep without a result was saved, if it was."""
    if checkpoint is not None and any(checkpoint.glob("[0-9]*.checkpoint")):
        said = f"Saved in {checkpoint}: the same command goes on from there."
        translate = translator(lang)
        print(
            translate("Interrupted before the first measurement."), translate(said), file=sys.stderr
        )


def _heading(result: SweepResult) -> Iterable[str]:
    config = result.config
    if isinstance(result, LinearSweepResult):
        data = result.data
        n, d = data.n, data.X_train.shape[1]
        held_out = f" ({data.held_out} more held out)" if data.held_out else ""
        features = "1 feature" if d == 1 else f"{d} features"
        yield f"{n:,} examples{held_out} with {features}, predicting {data.target_name}"
        if not config.plain or data.classes:
            yield ", ".join(filter(None, (_what(result), data.said_classes)))
    else:
        yield ", ".join(f"{name}: {value}" for name, value in result.data_facts())
    seeds = f"seed {config.seed}"
    if config.seeds > 1:
        seeds = f"seeds {config.seed} to {config.seed + config.seeds - 1}"
    length = counted(result.length, result.unit)
    yield f"batch size {config.batch_size}, {length}, {seeds}, engine {result.engine}"
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


def _what(result: LinearSweepResult) -> str:
    """The loss and the optimizer: ``logistic loss by adam``."""
    config = result.config
    loss = "log loss" if result.loss.of_classes else f"{config.loss} loss"
    kind = f"{config.loss} regression, {loss}" if result.loss.of_classes else result.loss.quantity
    return kind if config.optimizer == "sgd" else f"{kind}, by {config.optimizer}"


def _weights(result: LinearSweepResult, lr: float) -> Iterable[str]:
    """Lines with the learned weights at one rate, in the user's units; one line per class if each has its own weights."""
    model = result.model(lr)
    said = f"Weights at {format_rate(lr)}, in the units of the data"

    def terms(weights: Iterable[float], bias: float) -> str:
        named = zip(model.feature_names, weights, strict=True)
        return f"{_some(f'{name} = {w:.4g}' for name, w in named)}; bias = {bias:.4g}"

    if isinstance(model.b, float):
        one = f", for {model.target_name} = {model.classes[1]}" if model.classes else ""
        yield f"{said}{one}: {terms(model.w, model.b)}"
        return
    yield f"{said}, by class:"
    for name, w, b in list(zip(model.classes, model.w.T, model.b, strict=True))[:_FEW]:
        yield f"  {name}: {terms(w, float(b))}"
    if len(model.classes) > _FEW:
        yield f"  … and {len(model.classes) - _FEW} more classes (all are in --json)"


def _some(items: Iterable[str]) -> str:
    """The first items, and the number of the others."""
    items = list(items)
    more = f", … and {len(items) - _FEW:,} more (all are in --json)" if len(items) > _FEW else ""
    return ", ".join(items[:_FEW]) + more
