"""docs/autograd.md and its Chinese sister show what `learnrate explain` prints and draws today.

``python -m tests.book.steps.test_pages`` writes today's output into both.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from learnrate.book.steps import explain
from learnrate.book.steps.files import render_svg
from learnrate.book.steps.messages import messages_in
from learnrate.book.steps.sections import sections
from learnrate.book.steps.tables import Limits
from learnrate.book.steps.terminal import render_text

DOCS = Path(__file__).parents[3] / "docs"
PAGES = {"en": "autograd.md", "zh": "autograd.zh-CN.md"}
FIGURES = {"en": "explain.svg", "zh": "explain.zh-CN.svg"}
EMBEDDED = re.compile(r"<!-- learnrate explain: (\w+) -->\n(?:```text\n.*?```\n)?", re.S)


def printed_sections(lang: str) -> dict[str, str]:
    """The printed text of each section of the note's first step."""
    explanation = explain("note")
    keys = [part.key for part in sections(explanation, messages_in(lang), Limits())]
    texts = re.split(r"^\d  ", render_text(explanation, lang=lang, width=80), flags=re.M)[1:]
    return {key: text.strip() for key, text in zip(keys, texts, strict=True)}


def with_todays_output(page: str, lang: str) -> str:
    """The page with today's output below each marker."""
    parts = printed_sections(lang)
    return EMBEDDED.sub(lambda m: f"{m[0].splitlines()[0]}\n```text\n{parts[m[1]]}\n```\n", page)


@pytest.mark.parametrize("lang", PAGES)
def test_the_page_shows_todays_output(lang: str) -> None:
    page = (DOCS / PAGES[lang]).read_text(encoding="utf-8")
    assert EMBEDDED.findall(page) == list(printed_sections(lang))[:-1]
    assert page == with_todays_output(page, lang), __doc__


@pytest.mark.parametrize("lang", FIGURES)
def test_the_figure_is_todays_drawing(lang: str) -> None:
    figure = (DOCS / "figures" / FIGURES[lang]).read_text(encoding="utf-8")
    assert figure == render_svg(explain("note"), lang=lang), __doc__


@pytest.mark.parametrize("lang", PAGES)
def test_the_snippet_gives_what_its_comments_say(lang: str) -> None:
    page = (DOCS / PAGES[lang]).read_text(encoding="utf-8")
    [snippet] = re.findall(r"```python\n(.*?)```", page, re.S)
    names: dict[str, object] = {}
    exec(snippet, names)
    np.testing.assert_array_equal(np.asarray(names["x"].grad), [2, 4, 6])  # type: ignore[attr-defined]


if __name__ == "__main__":
    for lang, name in PAGES.items():
        path = DOCS / name
        path.write_text(with_todays_output(path.read_text(encoding="utf-8"), lang), "utf-8")
        (DOCS / "figures" / FIGURES[lang]).write_text(
            render_svg(explain("note"), lang=lang), "utf-8"
        )
