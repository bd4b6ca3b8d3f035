"""The commands of ``learnrate``. Each is in a file of its own."""

from __future__ import annotations

from typing import Annotated

import typer

from learnrate.cli.explain import explain
from learnrate.cli.groups import GroupedCommand
from learnrate.cli.note import note
from learnrate.cli.play import play
from learnrate.cli.run import run
from learnrate.cli.sweep import sweep
from learnrate.version import __version__

__all__ = ["app"]

app = typer.Typer(
    name="learnrate",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"learnrate {__version__}")
        raise typer.Exit


@app.callback(
    invoke_without_command=True,
    epilog="Example:  learnrate sweep diabetes --lrs auto --epochs 20 --save sweep.png",
)
def learnrate(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Show what the learning rate does: train under many rates side by side.

    \b
    learnrate sweep                               the note's experiment
    learnrate sweep houses.csv --target price     the same on your table
    learnrate explain                             one training step, number by number
    learnrate run note.py                         a script written for MXNet
    learnrate note                                the notes as an interactive page
    learnrate play                                drag a rate, and see what it will do
    """
    if context.invoked_subcommand is None:
        print(context.get_help())


app.command(cls=GroupedCommand)(sweep)
app.command()(explain)
app.command()(note)
app.command()(play)
# Options after the script are the script's.
app.command(context_settings={"allow_interspersed_args": False})(run)
