"""The recorded graph as an SVG drawing: values on the nodes, gradients beside them in a second colour."""

from __future__ import annotations

from learnrate._templates import environment
from learnrate.book.steps.layout import lay_out
from learnrate.book.steps.messages import messages_in
from learnrate.book.steps.opened import Opened

__all__ = ["render_svg"]


def render_svg(e: Opened, *, lang: str = "en") -> str:
    """The drawing as a file of its own; its text is text, shown in the fonts of whoever looks at it."""
    m = messages_in(lang)
    return environment("book.steps").get_template("graph.svg").render(drawing=lay_out(e, m), m=m)
