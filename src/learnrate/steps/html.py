"""An explanation as one self-contained HTML page: no scripts, nothing fetched."""

from __future__ import annotations

from learnrate._templates import environment
from learnrate.steps.abridging import Omitted
from learnrate.steps.explanation import Explanation
from learnrate.steps.layout import lay_out
from learnrate.steps.messages import messages_in
from learnrate.steps.sections import facts, remarks, sections
from learnrate.steps.tables import Limits, Table

__all__ = ["render_html"]


def render_html(e: Explanation, *, lang: str = "en") -> str:
    """The whole page."""
    m = messages_in(lang)
    templates = environment("steps")
    templates.tests["omitted"] = lambda row: isinstance(row, Omitted)
    templates.tests["table"] = lambda part: isinstance(part, Table)
    return templates.get_template("explain.html").render(
        m=m,
        facts=facts(e, m),
        remarks=remarks(e, m),
        sections=sections(e, m, Limits()),
        drawing=lay_out(e, m),
    )
