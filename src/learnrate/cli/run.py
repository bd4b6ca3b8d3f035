"""``learnrate run``: runs a script that was written for MXNet."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["run"]


def run(
    script: Annotated[
        str, typer.Argument(help="A Python file.", metavar="SCRIPT", show_default=False)
    ],
    args: Annotated[
        list[str] | None,
        typer.Argument(
            help="Arguments and options of the script.", metavar="ARGS", show_default=False
        ),
    ] = None,
) -> int:
    """Run a script written for MXNet, unmodified.

    `import mxnet` gives the script learnrate's arrays, gradients and layers. Without a display, plt.show() saves
    SCRIPT-1.png, SCRIPT-2.png, … in the working directory.

    \b
    Example:  learnrate run note.py --lr 0.03
    """
    from learnrate.compat.script import run_script

    return run_script(Path(script), args or [])
