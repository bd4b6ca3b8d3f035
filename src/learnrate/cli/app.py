"""The commands of ``learnrate``. Each is in a file of its own."""

from __future__ import annotations

from typing import Annotated

import typer

from learnrate._translation import as_language
from learnrate.cli.explain import explain
from learnrate.cli.groups import GroupedCommand
from learnrate.cli.help import Command, Group
from learnrate.cli.note import note
from learnrate.cli.play import play
from learnrate.cli.run import run
from learnrate.cli.sweep import sweep
from learnrate.version import __version__

__all__ = ["COMMANDS", "app"]

COMMANDS = ("sweep", "explain", "note", "play", "run")

app = typer.Typer(
    name="learnrate",
    cls=Group,
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
    lang: Annotated[
        str | None,
        typer.Option(help="en or zh, also after a command. By default the system's language."),
    ] = None,
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
    if lang is not None:
        language = {"lang": as_language(lang)}
        context.default_map = dict.fromkeys(COMMANDS, language)
    if context.invoked_subcommand is None:
        print(context.get_help())


app.command(cls=GroupedCommand)(sweep)
app.command(cls=Command)(explain)
app.command(cls=Command)(note)
app.command(cls=Command)(play)
# Options after the script are the script's.
app.command(cls=Command, context_settings={"allow_interspersed_args": False})(run)
