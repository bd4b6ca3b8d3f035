"""A note as a lesson that can be kept: text and code that runs, with what it printed and drew, as HTML or a Jupyter notebook.

The lesson of a note is its ``lesson.md``. A line ``[[key]]`` stands for a text of the note, in either language; blocks of
Python are the cells, in which ``#: module:name`` stands for the code of a function. ``[[exercises]]`` stands for the questions
with their answers, ``[[lesson]]`` for what can be done with the file, and ``[[explorer]]`` for the page of `learnrate.book.play`.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import importlib
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from learnrate._files import check_output, write_atomically
from learnrate.book.note.catalogue import Texts, note_texts
from learnrate.book.note.launch import notebook
from learnrate.book.note.lesson_page import Cell, filled, lesson_page
from learnrate.book.note.listing import source_of

__all__ = ["EXPORTS", "lesson", "write"]

EXPORTS = (".html", ".ipynb")
_FENCE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_TEXT = re.compile(r"\[\[(\w+)\]\]")
_LATER = ("lesson", "explorer")
"""What the two kinds of file have different words for."""

_FUNCTION = re.compile(r"^#: ([\w.]+):(\w+)$", re.MULTILINE)


def lesson(name: str, lang: str) -> list[Cell]:
    """The cells of a note's lesson, run.

    Raises
    ------
    OptionError
        For a name that no note has.
    """
    t = note_texts(lang, name)
    page = notebook(name).with_name("lesson.md").read_text(encoding="utf-8")
    answers = importlib.import_module(f"learnrate.book.note.{name}.exercises").answers
    cells = []
    for i, part in enumerate(_FENCE.split(page)):
        if i % 2:
            cells.append(Cell("code", _FUNCTION.sub(_function, part).strip()))
        elif part.strip():
            text = _TEXT.sub(lambda found: _text(found[1], t, answers), part.strip())
            cells.append(Cell("markdown", text))
    _run([cell for cell in cells if cell.kind == "code"])
    return cells


def _function(found: re.Match[str]) -> str:
    return source_of(getattr(importlib.import_module(found[1]), found[2]))


def _text(key: str, t: Texts, answers: Any) -> str:
    if key in _LATER:
        return f"[[{key}]]"
    if key != "exercises":
        return t(key)
    opened = (
        f"<details>\n<summary>{question}</summary>\n\n{answer}\n\n</details>"
        for question, answer in answers(t).items()
    )
    return "\n\n".join([t("lesson_exercises"), *opened])


def _run(cells: list[Cell]) -> None:
    """Run the code of cells one after the other, as Jupyter does, and keep what it prints and draws."""
    names: dict[str, object] = {"__name__": "__main__"}
    with _pictures() as pyplot:
        for number, cell in enumerate(cells, 1):
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                exec(compile(cell.source, f"<cell {number}>", "exec"), names)
            cell.printed = printed.getvalue()
            for figure in map(pyplot.figure, pyplot.get_fignums()):
                drawn = io.BytesIO()
                figure.savefig(drawn, format="png", dpi=110, bbox_inches="tight")
                cell.pictures.append(drawn.getvalue())
            pyplot.close("all")


@contextlib.contextmanager
def _pictures() -> Iterator[Any]:
    """pyplot, with pictures that open no window."""
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    before = mpl.get_backend()
    plt.switch_backend("agg")
    try:
        with mpl.rc_context({"figure.figsize": (6.2, 3.8), "axes.grid": True, "grid.alpha": 0.3}):
            yield plt
    finally:
        plt.switch_backend(before)


def write(name: str, path: Path, *, lang: str) -> Path:
    """Run a note's lesson and write it as .html or .ipynb: the suffix decides.

    Raises
    ------
    OptionError
        For a name that no note has.
    OutputError
        For another suffix, or a place that cannot be written.
    """
    notebook(name)
    path = check_output(path, EXPORTS)
    cells, t = lesson(name, lang), note_texts(lang, name)
    if path.suffix.lower() == ".ipynb":
        words = {"lesson": t("lesson_cells", name=name), "explorer": t("lesson_explorer")}
        text = _jupyter(cells, words)
    else:
        text = lesson_page(cells, t, {"lesson": t("lesson_page", name=name)})
    write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))
    return path


def _jupyter(cells: list[Cell], words: dict[str, str]) -> str:
    """The cells in Jupyter's format 4.5."""
    found: list[dict[str, Any]] = []
    count = 0
    for i, cell in enumerate(cells):
        source = filled(cell.source, words)
        made: dict[str, Any] = {
            "cell_type": cell.kind,
            "id": hashlib.sha256(f"{i}{source}".encode()).hexdigest()[:8],
            "metadata": {},
            "source": source,
        }
        if cell.kind == "code":
            count += 1
            made |= {"execution_count": count, "outputs": _outputs(cell)}
        found.append(made)
    document = {
        "cells": found,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _outputs(cell: Cell) -> list[dict[str, Any]]:
    outputs: list[dict[str, Any]] = []
    if cell.printed:
        outputs.append({"output_type": "stream", "name": "stdout", "text": cell.printed})
    for picture in cell.pictures:
        data = {"image/png": base64.b64encode(picture).decode(), "text/plain": "<Figure>"}
        outputs.append({"output_type": "display_data", "metadata": {}, "data": data})
    return outputs
