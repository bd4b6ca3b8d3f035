"""Writing an explanation to a file: the suffix picks the format."""

from __future__ import annotations

import json
from pathlib import Path

from learnrate._files import check_writable, write_atomically
from learnrate.errors import OutputError, did_you_mean
from learnrate.steps.explanation import Explanation

__all__ = ["SUFFIXES", "check_output", "save_explanation"]

SUFFIXES = (".html", ".svg", ".mmd", ".json")
"""The formats that `save_explanation` knows."""


def check_output(path: str | Path) -> Path:
    """Raise OutputError unless ``path`` has a suffix that can be written, in a place that can be."""
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise OutputError(
            f"An output file must end in {', '.join(SUFFIXES)}. Got {str(path)!r} instead."
            + (did_you_mean(path.suffix, SUFFIXES) if path.suffix else "")
        )
    check_writable(path)
    return path


def save_explanation(e: Explanation, path: str | Path, *, lang: str = "en") -> Path:
    """Write an explanation as the suffix says.

    Raises
    ------
    OutputError
        For a suffix that is not known or a place that cannot be written; nothing half-written stays.
    """
    path = check_output(path)
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
