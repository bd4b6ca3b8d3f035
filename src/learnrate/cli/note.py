"""``learnrate note``: the living note."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["note"]


def note(
    lang: Annotated[
        str | None,
        typer.Option(help="zh or en. The system's language unless given.", show_default=False),
    ] = None,
    edit: Annotated[
        bool, typer.Option("--edit", help="Open a copy in the working directory, to change it.")
    ] = False,
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="Port of the page. A free one unless given."),
    ] = None,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the address and open no browser.")
    ] = False,
    export: Annotated[
        Path | None,
        typer.Option(
            help="Write it to an .html file (a page that loads marimo's viewer from the web) or to "
            "an .ipynb file instead.",
            show_default=False,
        ),
    ] = None,
) -> int:
    """Open the living note: formula, code, numbers and plot on one page, in Chinese or English.

    \b
    Example:  learnrate note --lang zh
    """
    from learnrate.note import launch

    language = launch.as_language(lang)
    if export is not None:
        print(f"Saved {launch.export(export, lang=language)}")
        return 0
    return launch.serve(lang=language, edit=edit, port=port, browser=not no_browser)
