"""A lesson as one HTML file that asks for nothing else: no script for its formulas, no fonts, no network."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from html import escape

from learnrate.book.note.catalogue import Texts
from learnrate.book.note.plot import render
from learnrate.book.note.tex import mathml

__all__ = ["Cell", "filled", "lesson_page"]


@dataclass
class Cell:
    """A cell: text in Markdown, or code with what it printed and the PNG pictures that it drew."""

    kind: str
    source: str
    printed: str = ""
    pictures: list[bytes] = field(default_factory=list)


def filled(text: str, words: dict[str, str]) -> str:
    """A text with words in place of ``[[key]]``."""
    for key, said in words.items():
        text = text.replace(f"[[{key}]]", said)
    return text


_FORMULA = re.compile(r"\$\$(.+?)\$\$|\$([^$\n]+)\$", re.DOTALL)
_DETAILS = re.compile(r"<details>\n<summary>(.*?)</summary>\n(.*?)</details>", re.DOTALL)
_KEPT = "\ue000{}\ue001"
"""Stands for what is already HTML while Markdown is turned into it."""


def lesson_page(cells: list[Cell], t: Texts, words: dict[str, str]) -> str:
    """The page of a lesson that was run, with words in place of ``[[key]]``."""
    return render("lesson.html", t=t, parts=[_part(cell, t, words) for cell in cells])


def _part(cell: Cell, t: Texts, words: dict[str, str]) -> dict[str, object]:
    if cell.kind == "markdown":
        return {"kind": "text", "html": _html(filled(cell.source, words), t)}
    pictures = [base64.b64encode(picture).decode() for picture in cell.pictures]
    return {
        "kind": "code",
        "html": _coloured(cell.source),
        "printed": cell.printed,
        "pictures": pictures,
    }


def _html(markdown: str, t: Texts) -> str:
    """Markdown with formulas as HTML; what stands in code is no formula."""
    from markdown_it import MarkdownIt

    kept: list[str] = []

    def keep(html: str) -> str:
        kept.append(html)
        return _KEPT.format(len(kept) - 1)

    def formula(found: re.Match[str]) -> str:
        block = found[1] is not None
        return keep(mathml(found[1] or found[2], block=block))

    def details(found: re.Match[str]) -> str:
        inside = f"<details><summary>{escape(found[1])}</summary>{_html(found[2], t)}</details>"
        return keep(inside)

    if "[[explorer]]" in markdown:
        markdown = markdown.replace("[[explorer]]", keep(_explorer(t)))
    text = _FORMULA.sub(formula, _DETAILS.sub(details, markdown))
    html = str(MarkdownIt("commonmark", {"html": False}).enable("table").render(text))
    html = html.replace("<table>", '<div class="wide"><table>').replace(
        "</table>", "</table></div>"
    )
    for i, part in enumerate(kept):
        mark = _KEPT.format(i)
        html = html.replace(f"<p>{mark}</p>", part).replace(mark, part)
    return html


def _explorer(t: Texts) -> str:
    from learnrate.book.play import page

    inside = escape(page(lang=t.lang, embedded=True))
    return f'<iframe title="{escape(t("rates_title"))}" srcdoc="{inside}"></iframe>'


def _coloured(code: str) -> str:
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    return str(highlight(code, PythonLexer(), HtmlFormatter(nowrap=True)))
