"""Puts the page together from its parts, writes it, and opens it."""

from __future__ import annotations

import webbrowser
from pathlib import Path

from learnrate._files import check_output, user_cache, write_atomically
from learnrate._templates import environment
from learnrate.book.note.catalogue import catalogue

__all__ = ["MATHEMATICS", "SCRIPTS", "open_page", "page", "save_page"]

MATHEMATICS = (
    "random.js",
    "matrix.js",
    "training.js",
    "theory.js",
    "typical.js",
    "verdict.js",
)
"""Scripts that only compute, and use no page."""

SCRIPTS = (*MATHEMATICS, "drawing.js", "page.js", "showing.js", "controls.js")
"""All scripts, each after those that it uses; the last one starts the page."""


def page(
    *, lang: str | None = None, embedded: bool = False, scripts: tuple[str, ...] = SCRIPTS
) -> str:
    """The whole page as text: HTML of a document of its own, which asks for nothing else.

    Parameters
    ----------
    lang : {"zh", "en"}, optional
        Language to begin with; the browser's unless given. The page has a switch.
    embedded : bool
        As a part of another page: without heading and switch.
    scripts : tuple of str
        Fewer, to try the mathematics alone.
    """
    return (
        environment("book.play")
        .get_template("play.html")
        .render(texts=catalogue("play"), language=lang, embedded=embedded, scripts=scripts)
    )


def save_page(path: str | Path, *, lang: str | None = None) -> Path:
    """Write the page to an .html file.

    Raises
    ------
    OutputError
        For another suffix, or a place that cannot be written.
    """
    path = check_output(path, (".html",))
    text = page(lang=lang)
    write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))
    return path


def open_page(*, lang: str | None = None, browser: bool = True) -> Path:
    """Write the page to the user's folder for caches, open it in a browser, and say where it is."""
    folder = user_cache("play")
    folder.mkdir(parents=True, exist_ok=True)
    path = save_page(folder / "play.html", lang=lang)
    if browser:
        webbrowser.open(path.as_uri())
    return path
