"""Explanations as files: the suffix decides the format."""

from __future__ import annotations

import json
from pathlib import Path

from markupsafe import Markup

from learnrate._files import check_output, write_atomically
from learnrate._templates import environment
from learnrate.book.steps.abridging import Omitted
from learnrate.book.steps.contents import contents
from learnrate.book.steps.formula import mathml
from learnrate.book.steps.layout import lay_out
from learnrate.book.steps.mermaid import render_mermaid
from learnrate.book.steps.messages import messages_in
from learnrate.book.steps.opened import Opened
from learnrate.book.steps.parts import Formula
from learnrate.book.steps.tables import Limits, Table

__all__ = ["SUFFIXES", "render_html", "render_svg", "save_explanation"]


def save_explanation(e: Opened, path: str | Path, *, lang: str = "en") -> Path:
    """Write an explanation in the format of the suffix, and return the path.

    Raises
    ------
    OutputError
        If the suffix is not known or the file cannot be written; no incomplete file is left.
    """
    path = check_output(path, SUFFIXES)
    text = _RENDER[path.suffix.lower()](e, lang=lang)
    write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))
    return path


def render_html(e: Opened, *, lang: str = "en") -> str:
    """The explanation as one HTML page, which runs no scripts and loads nothing."""
    m = messages_in(lang)
    templates = environment("book.steps")
    templates.tests["omitted"] = lambda row: isinstance(row, Omitted)
    templates.tests["table"] = lambda part: isinstance(part, Table)
    templates.tests["formula"] = lambda part: isinstance(part, Formula)
    templates.filters["math"] = lambda text: Markup(mathml(text))  # mathml escapes the text
    templates.filters["math_block"] = lambda text: Markup(mathml(text, block=True))
    page = contents(e, m, Limits())
    return templates.get_template("explain.html").render(m=m, page=page, drawing=lay_out(e, m))


def render_svg(e: Opened, *, lang: str = "en") -> str:
    """The recorded graph as an SVG drawing, with values on the nodes and gradients in a second colour."""
    m = messages_in(lang)
    return environment("book.steps").get_template("graph.svg").render(drawing=lay_out(e, m), m=m)


def _render_json(e: Opened, *, lang: str) -> str:
    del lang  # the numbers are the same in every language
    return json.dumps(e.as_dict(), ensure_ascii=False, indent=1) + "\n"


_RENDER = {
    ".html": render_html,
    ".svg": render_svg,
    ".mmd": render_mermaid,
    ".json": _render_json,
}
SUFFIXES = tuple(_RENDER)
"""The formats of `save_explanation`."""
