"""``learnrate explain``: one training step, or one ``backward()`` of a script, number by number."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from learnrate.cli.tables import (
    TABLE_OPTIONS,
    Features,
    Missing,
    Target,
    data_argument,
    names_in,
    with_table_options,
)
from learnrate.errors import InputError, LearnrateError, OptionError, option

if TYPE_CHECKING:
    from learnrate.book.steps.explanation import Readable

__all__ = ["explain"]


@with_table_options
def explain(
    context: typer.Context,
    data: Annotated[
        str | None,
        data_argument(
            "Without it, the 1,000 examples of the book. Or a Python file, run as by learnrate run."
        ),
    ] = None,
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            help="Arguments of the script; put -- before those that begin with -.",
            metavar="ARGS",
            show_default=False,
        ),
    ] = None,
    backward: Annotated[
        int, typer.Option(help="Which call of backward() in a script to explain, from 1.", min=1)
    ] = 1,
    target: Target = None,
    features: Features = None,
    loss: Annotated[
        str | None,
        typer.Option(
            help="squared, logistic or softmax. By the target, unless given: numbers squared, two classes "
            "logistic, more softmax.",
            show_default=False,
        ),
    ] = None,
    lr: Annotated[float, typer.Option(help="Learning rate η.")] = 0.03,
    batch_size: Annotated[
        int | None,
        typer.Option("--batch-size", "-b", help="Examples in the step. By default 3."),
    ] = None,
    seed: Annotated[
        int, typer.Option(help="Seed of the initial weights and the minibatch order.")
    ] = 0,
    step: Annotated[int, typer.Option(help="Which step of training to explain, from 1.")] = 1,
    missing: Missing = "error",
    standardize: Annotated[
        bool,
        typer.Option(help="Scale features to mean 0 and standard deviation 1 (tables only)."),
    ] = True,
    lang: Annotated[
        str | None,
        typer.Option(help="en or zh. By default the system's language.", show_default=False),
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
    *,
    table: Any,  # a learnrate.data.options.Table
) -> int:
    """Explain one training step: what attach_grad() and backward() do, with every number.

    \b
    Example:  learnrate explain diabetes --lr 0.03 --batch-size 3 --save explain.html
    Example:  learnrate explain softmax.py --backward 5 --save explain.html
    """
    from learnrate._files import check_output
    from learnrate._translation import as_language
    from learnrate.book.steps.files import SUFFIXES
    from learnrate.book.steps.front import explain as explain_step
    from learnrate.book.steps.messages import messages_in

    language = as_language(lang)
    outputs = [check_output(path, SUFFIXES) for path in save or ()]
    is_script = data is not None and data.lower().endswith((".py", ".ipynb"))
    _check_options(context, _FOR_TABLES if is_script else _FOR_SCRIPTS, is_script)
    code: int | LearnrateError = 0
    explanation: Readable
    if data is not None and is_script:
        explanation, code = _open_script(data, arguments or [], backward, quiet)
    else:
        explanation = explain_step(
            "note" if data is None else sys.stdin.buffer if data == "-" else data,
            target=target,
            loss=loss,
            features=names_in(features),
            lr=lr,
            batch_size=batch_size,
            seed=seed,
            step=step,
            missing=missing,
            table=table,
            standardize=None if standardize else False,
        )
    saved = [explanation.save(path, lang=language) for path in outputs]
    if as_json:
        print(json.dumps(explanation.as_dict(), ensure_ascii=False))
    elif not quiet:
        from rich.console import Console
        from rich.text import Text

        from learnrate.book.steps.terminal import print_explanation

        console = Console(highlight=False)
        print_explanation(explanation, console, lang=language)
        for path in saved:
            console.print(Text(messages_in(language).saved.format(path=path)))
    if isinstance(code, LearnrateError):
        raise code
    return code


_FOR_SCRIPTS: tuple[str, ...] = ("arguments", "backward")
_FOR_TABLES: tuple[str, ...] = (
    "target",
    "features",
    "loss",
    "lr",
    "batch_size",
    "seed",
    "step",
    "missing",
    "standardize",
)
_FOR_TABLES += TABLE_OPTIONS


def _check_options(context: typer.Context, useless: tuple[str, ...], is_script: bool) -> None:
    """Check that no option was given that has no effect.

    Raises
    ------
    OptionError
        If there is one.
    """
    for name in useless:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            if name == "arguments":
                raise OptionError(
                    "Only a script takes more arguments, and its name must end with .py. "
                    f"Got {context.params[name]} instead."
                )
            what = (
                "examples; a script has its own"
                if is_script
                else "a script, a file ending with .py"
            )
            raise OptionError(f"{option(name)} must be given with {what}. Leave it out.")


def _open_script(
    script: str, arguments: list[str], number: int, quiet: bool
) -> tuple[Readable, int | LearnrateError]:
    """Run a script and explain its ``number``-th call of backward(), with the update after it.

    What the script prints goes to standard error. Returns the explanation, and the exit code of the script or the error
    that it raised after that call.

    Raises
    ------
    InputError
        If the script does not call backward() so often.
    """
    from learnrate.book.steps.opening import Opening
    from learnrate.compat.mxnet.optimizer import Step, watch_steps
    from learnrate.compat.script import run_script

    opening = Opening(number, inner=("learnrate.compat.mxnet",))

    def seen(step: Step) -> None:
        opening.step(step.weight, step.old, step.new, step.formulas, step.constants, step.kept)

    code: int | LearnrateError = 0
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        output = nowhere if quiet else sys.stderr
        with contextlib.redirect_stdout(output), opening.watching(), watch_steps(seen):
            try:
                code = run_script(Path(script), arguments, save_pictures=False)
            except SystemExit as ended:
                if ended.code and not opening.is_open:
                    raise
            except LearnrateError as error:
                if not opening.is_open:
                    raise
                code = error
    if not opening.is_open:
        how_often = "once" if opening.count == 1 else f"{opening.count:,} times"
        if code:
            raise InputError(
                f"{script} must run to its backward() number {number}. It failed, as shown above, "
                f"{f'after it had called backward() {how_often}' if opening.count else 'before it called backward()'}."
            )
        if not opening.count:
            raise InputError(
                f"{script} must call backward(), outside of threads and other processes, to be explained. "
                "It ran to its end and never did."
            )
        raise InputError(
            f"--backward must be at most {opening.count}: {script} calls backward() {how_often}. "
            f"Got {number} instead."
        )
    return opening.explanation(script), code
