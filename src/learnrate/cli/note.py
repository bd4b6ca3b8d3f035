"""``learnrate note``: the interactive notes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["note"]


def note(
    name: Annotated[
        str | None,
        typer.Argument(
            help="linear (by default), softmax, perceptron or momentum.", show_default=False
        ),
    ] = None,
    lang: Annotated[
        str | None,
        typer.Option(help="en or zh. By default the system's language.", show_default=False),
    ] = None,
    list_notes: Annotated[
        bool, typer.Option("--list", help="Print the names and titles of all notes.")
    ] = False,
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
            help="Write the note as a lesson to an .html file, which needs no network, or to an .ipynb file, "
            "and open no page.",
            show_default=False,
        ),
    ] = None,
) -> int:
    """Open an interactive note: formulas, code, numbers and plots on one page, in Chinese or English.

    \b
    learnrate note             linear regression and its learning rate
    learnrate note softmax     classes: softmax regression and cross-entropy
    learnrate note perceptron  a hidden layer: ReLU that dies, symmetry
    learnrate note momentum    momentum and Adam on a bowl that you stretch
    """
    from learnrate._translation import as_language
    from learnrate.book.note import launch

    language = as_language(lang)
    given: dict[str, object] = {"--edit": edit, "--port": port, "--no-browser": no_browser}
    if list_notes:
        _refuse({**given, "a name": name, "--export": export}, "--list")
        for known, title in launch.titles(language).items():
            print(f"{known:12}{title}")
        return 0
    chosen = launch.NOTES[0] if name is None else name
    if export is not None:
        from learnrate._translation import translator
        from learnrate.book.note.lesson import write

        _refuse(given, "--export")
        print(translator(language)(f"Saved {write(chosen, export, lang=language)}"))
        return 0
    return launch.serve(chosen, lang=language, edit=edit, port=port, browser=not no_browser)


def _refuse(given: dict[str, object], beside: str) -> None:
    """An option without effect is refused."""
    from learnrate.errors import OptionError

    for option, value in given.items():
        if value:
            raise OptionError(f"{beside} must be given without {option}. Leave one of them out.")
