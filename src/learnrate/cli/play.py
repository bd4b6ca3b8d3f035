"""``learnrate play``: a page on which to try learning rates."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["play"]


def play(
    save: Annotated[
        Path | None,
        typer.Option(
            help="Write the page to an .html file instead of opening it.", show_default=False
        ),
    ] = None,
    lang: Annotated[
        str | None,
        typer.Option(help="en or zh. By default the browser's language.", show_default=False),
    ] = None,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the path of the page and open no browser.")
    ] = False,
) -> int:
    """Drag a learning rate and see before training what it will do: a page that needs nothing else.

    \b
    Example:  learnrate play --save play.html
    """
    from learnrate._translation import as_language, translator
    from learnrate.book import play as page
    from learnrate.errors import OptionError, option

    language = None if lang is None else as_language(lang)
    say = translator(as_language(lang))
    if save is not None:
        if no_browser:
            raise OptionError(
                f"{option('no_browser')} has no effect with {option('save')}, which opens none. "
                "Leave one of them out."
            )
        print(say(f"Saved {page.save_page(save, lang=language)}"))
        return 0
    print(say(f"The page is {page.open_page(lang=language, browser=not no_browser)}"))
    return 0
