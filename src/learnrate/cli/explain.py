"""``learnrate explain``: one training step, number by number."""

from __future__ import annotations

import json
import locale
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["explain"]


def explain(
    data: Annotated[
        str | None,
        typer.Argument(
            help="A table (csv, tsv, parquet, feather, arrow, jsonl, npy, npz), a glob of them, "
            "- for CSV on standard input, or diabetes (442 patients, ships with learnrate). "
            "Nothing: the note's own 1,000 examples.",
            show_default=False,
        ),
    ] = None,
    target: Annotated[
        str | None, typer.Option("--target", "-t", help="Column to predict.", show_default=False)
    ] = None,
    features: Annotated[
        str | None,
        typer.Option(help="Columns to predict from, a,b,c. All that can serve, unless given."),
    ] = None,
    lr: Annotated[float, typer.Option(help="Learning rate η.")] = 0.03,
    batch_size: Annotated[
        int | None,
        typer.Option("--batch-size", "-b", help="Examples in the step. 3 unless given."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Start and order follow from it.")] = 0,
    step: Annotated[int, typer.Option(help="Which step of training to open, from 1.")] = 1,
    missing: Annotated[
        str, typer.Option(help="Missing values: error, drop (the rows) or mean (fill it in).")
    ] = "error",
    standardize: Annotated[
        bool, typer.Option(help="Train on features with mean 0 and deviation 1 (tables only).")
    ] = True,
    lang: Annotated[
        str | None,
        typer.Option(help="en or zh. That of the system, unless given.", show_default=False),
    ] = None,
    save: Annotated[
        list[Path] | None,
        typer.Option(
            "--save",
            "-o",
            help="Write html (a page), svg (the graph), mmd (Mermaid) or json. Repeatable.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document and nothing else.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing.")] = False,
) -> None:
    """Open one training step: what attach_grad() and backward() do, number by number.

    \b
    Example:  learnrate explain diabetes --lr 0.03 --batch-size 3 --save explain.html
    """
    from learnrate._files import check_output
    from learnrate.steps.files import SUFFIXES
    from learnrate.steps.front import explain as explain_step
    from learnrate.steps.messages import messages_in

    language = lang if lang is not None else _system_language()
    messages_in(language)  # refused before any work
    outputs = [check_output(path, SUFFIXES) for path in save or ()]
    explanation = explain_step(
        "note" if data is None else sys.stdin.buffer if data == "-" else data,
        target=target,
        features=None if features is None else [name.strip() for name in features.split(",")],
        lr=lr,
        batch_size=batch_size,
        seed=seed,
        step=step,
        missing=missing,
        standardize=None if standardize else False,
    )
    saved = [explanation.save(path, lang=language) for path in outputs]
    if as_json:
        print(json.dumps(explanation.as_dict(), ensure_ascii=False))
    elif not quiet:
        from rich.console import Console
        from rich.text import Text

        from learnrate.steps.terminal import print_explanation

        console = Console(highlight=False)
        print_explanation(explanation, console, lang=language)
        for path in saved:
            console.print(Text(messages_in(language).saved.format(path=path)))


def _system_language() -> str:
    """``zh`` where the system speaks Chinese, else ``en``."""
    names = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    name = next(filter(None, names), None) or locale.getlocale()[0] or ""
    return "zh" if name.lower().startswith(("zh", "chinese")) else "en"
