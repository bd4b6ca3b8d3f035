"""An explanation as one self-contained HTML page: no scripts, nothing fetched."""

from __future__ import annotations

from markupsafe import Markup

from learnrate._templates import environment
from learnrate.book.steps.abridging import Omitted
from learnrate.book.steps.contents import contents
from learnrate.book.steps.formula import mathml
from learnrate.book.steps.layout import lay_out
from learnrate.book.steps.messages import messages_in
from learnrate.book.steps.opened import Opened
from learnrate.book.steps.parts import Formula
from learnrate.book.steps.tables import Limits, Table

__all__ = ["render_html"]


def render_html(e: Opened, *, lang: str = "en") -> str:
    """The whole page."""
    m = messages_in(lang)
    templates = environment("book.steps")
    templates.tests["omitted"] = lambda row: isinstance(row, Omitted)
    templates.tests["table"] = lambda part: isinstance(part, Table)
    templates.tests["formula"] = lambda part: isinstance(part, Formula)
    templates.filters["math"] = lambda text: Markup(mathml(text))  # its text is escaped there
    templates.filters["math_block"] = lambda text: Markup(mathml(text, block=True))
    page = contents(e, m, Limits())
    return templates.get_template("explain.html").render(m=m, page=page, drawing=lay_out(e, m))
