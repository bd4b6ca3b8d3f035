"""Writing an explanation to a file: the suffix picks the format."""

from __future__ import annotations

import json
from pathlib import Path

from learnrate._files import check_output, write_atomically
from learnrate.book.steps.opened import Opened

__all__ = ["SUFFIXES", "save_explanation"]

SUFFIXES = (".html", ".svg", ".mmd", ".json")
"""The formats that `save_explanation` knows."""


def save_explanation(e: Opened, path: str | Path, *, lang: str = "en") -> Path:
    """Write an explanation as the suffix says.

    Raises
    ------
    OutputError
        For a suffix that is not known or a place that cannot be written; nothing half-written stays.
    """
    path = check_output(path, SUFFIXES)
    text = _render(e, path.suffix.lower(), lang)
    write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))
    return path


def _render(e: Opened, suffix: str, lang: str) -> str:
    if suffix == ".html":
        from learnrate.book.steps.html import render_html

        return render_html(e, lang=lang)
    if suffix == ".svg":
        from learnrate.book.steps.svg import render_svg

        return render_svg(e, lang=lang)
    if suffix == ".mmd":
        from learnrate.book.steps.mermaid import render_mermaid

        return render_mermaid(e, lang=lang)
    return json.dumps(e.as_dict(), ensure_ascii=False, indent=1) + "\n"
