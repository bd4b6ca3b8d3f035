"""A note as a file: a page that needs nothing else, and a Jupyter notebook whose cells run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

from learnrate.book.note import lesson
from learnrate.book.note.launch import NOTES, notebook
from learnrate.book.note.lesson_page import Cell
from learnrate.book.note.tex import mathml
from learnrate.errors import OptionError, OutputError


def check_page(page: str) -> None:
    outside = re.sub(r'srcdoc="[^"]*"', "", page)
    assert not re.findall(r"https?://|<script|<link|\[\[\w+\]\]|\ue000", outside)
    text = re.sub(r"<pre.*?</pre>|<style.*?</style>|<[^>]+>", "", outside, flags=re.DOTALL)
    assert "$" not in text
    assert "**" not in text


def check_notebook(path: Path, ran: list[Cell]) -> None:
    document: Any = nbformat  # untyped
    notebook = document.reads(path.read_text(encoding="utf-8"), as_version=4)
    document.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.source for cell in code] == [cell.source for cell in ran if cell.kind == "code"]
    assert "[[" not in "".join(c.source for c in notebook.cells if c.cell_type == "markdown")
    outputs = [output for cell in code for output in cell.outputs]
    assert sum("text" in output for output in outputs) >= 4
    assert any("image/png" in output.get("data", {}) for output in outputs)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "lang"),
    [("linear", "zh"), ("softmax", "en"), ("perceptron", "en"), ("momentum", "zh")],
)
def test_a_lesson_is_run_and_written(
    name: str, lang: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = lesson.lesson(name, lang)
    monkeypatch.setattr(lesson, "lesson", lambda *of: [*ran])
    page = lesson.write(name, tmp_path / "note.html", lang=lang).read_text(encoding="utf-8")
    check_page(page)
    assert ("<iframe" in page) == (name == "linear")
    assert page.count("<details>") == 4
    assert page.count("data:image/png") >= 1
    assert ("练习" in page) == (lang == "zh")
    check_notebook(lesson.write(name, tmp_path / "note.ipynb", lang=lang), ran)


def test_cells_are_run_in_order_and_what_they_print_and_draw_is_kept() -> None:
    cells = [
        Cell("code", "x = 2\nprint(x)"),
        Cell("code", "import matplotlib.pyplot as plt\nplt.plot([x])"),
    ]
    lesson._run(cells)
    assert [cell.printed for cell in cells] == ["2\n", ""]
    assert [len(cell.pictures) for cell in cells] == [0, 1]
    with pytest.raises(NameError):
        lesson._run([Cell("code", "print(x)")])


def test_every_note_has_a_lesson_with_its_own_code() -> None:
    for name in NOTES:
        page = notebook(name).with_name("lesson.md").read_text(encoding="utf-8")
        for found in lesson._FUNCTION.finditer(page):
            assert lesson._function(found).startswith(f"def {found[2]}(")


def test_bad_input_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"must end in .html, .ipynb. Got 'note.htm'"):
        lesson.write("linear", Path("note.htm"), lang="en")
    with pytest.raises(OptionError, match="must be one of linear"):
        lesson.write("adam", tmp_path / "note.html", lang="en")


def test_formulas_become_mathml() -> None:
    assert mathml(r"\hat y_i - y") == (
        '<math><msub><mover accent="true"><mi>y</mi><mo stretchy="false">^</mo></mover>'
        "<mi>i</mi></msub><mo>−</mo><mi>y</mi></math>"
    )
    assert "<mfrac><mrow><mi>η</mi></mrow>" in mathml(r"\frac{\eta}{|\mathcal B|}", block=True)
    assert mathml(r"\begin{aligned} a &= b\\ c &= d \end{aligned}").count("<mtr>") == 2
    assert "&lt;" in mathml("a < b")
    assert mathml(r"\delta'^2") == (
        '<math><msup><mrow><mi>δ</mi><mo lspace="0" rspace="0">′</mo></mrow><mn>2</mn></msup></math>'
    )
    assert mathml(r"\lim_{T \to \infty} a", block=True).startswith(
        '<math display="block"><munder><mo'
    )
    assert "<mi mathvariant='normal'>mean</mi>" in mathml(r"\mathrm{mean}\,\tilde x")
    with pytest.raises(ValueError, match=r"command \\oint"):
        mathml(r"\oint x")
