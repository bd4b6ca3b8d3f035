"""``learnrate note``: the interactive note."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["note"]


def note(
    lang: Annotated[
        str | None,
        typer.Option(help="zh or en. By default the system's language.", show_default=False),
    ] = None,
    edit: Annotated[
        bool, typer.Option("--edit", help="Open a copy in the working directory, to edit it.")
    ] = False,
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="Port of the page. By default a free one."),
    ] = None,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the address and open no browser.")
    ] = False,
    export: Annotated[
        Path | None,
        typer.Option(
            help="Write the note to an .html file (which loads marimo's viewer from the web) or to "
            "an .ipynb file, and open no page.",
            show_default=False,
        ),
    ] = None,
) -> int:
    """Open the interactive note: formulas, code, numbers and plots on one page, in Chinese or English.

    \b
    Example:  learnrate note --lang zh
    """
    from learnrate.book.note import launch

    language = launch.as_language(lang)
    if export is not None:
        print(f"Saved {launch.export(export, lang=language)}")
        return 0
    return launch.serve(lang=language, edit=edit, port=port, browser=not no_browser)
