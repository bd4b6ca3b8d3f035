"""Writing an explanation to a file: the suffix picks the format."""

from __future__ import annotations

import json
from pathlib import Path

from learnrate._files import check_output, write_atomically
from learnrate.steps.explanation import Explanation

__all__ = ["SUFFIXES", "save_explanation"]

SUFFIXES = (".html", ".svg", ".mmd", ".json")
"""The formats that `save_explanation` knows."""


def save_explanation(e: Explanation, path: str | Path, *, lang: str = "en") -> Path:
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


def _render(e: Explanation, suffix: str, lang: str) -> str:
    if suffix == ".html":
        from learnrate.steps.html import render_html

        return render_html(e, lang=lang)
    if suffix == ".svg":
        from learnrate.steps.svg import render_svg

        return render_svg(e, lang=lang)
    if suffix == ".mmd":
        from learnrate.steps.mermaid import render_mermaid

        return render_mermaid(e, lang=lang)
    return json.dumps(e.as_dict(), ensure_ascii=False, indent=1) + "\n"
