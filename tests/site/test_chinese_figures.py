"""Chinese pages show Chinese figures, which are those of today's English ones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs.chinese_figures import FIGURES, TEXTS, chinese, chinese_name

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("figure", FIGURES, ids=lambda path: path.name)
def test_the_chinese_figure_is_of_todays_english_one(figure: Path) -> None:
    text = figure.read_text(encoding="utf-8")
    made = chinese(text)
    assert made != text
    assert chinese_name(figure).read_text(encoding="utf-8") == made, (
        "run python -m docs.chinese_figures"
    )


def test_every_translation_is_used() -> None:
    shown = "".join(figure.read_text(encoding="utf-8") for figure in FIGURES)
    assert [text for text in TEXTS if f">{text}</text>" not in shown] == []


def test_chinese_pages_show_chinese_figures() -> None:
    """All but the picture of the packages, which shows names alone."""
    shown = set()
    for page in DOCS.glob("*.zh-CN.md"):
        shown |= set(re.findall(r"figures/([\w.-]+)", page.read_text(encoding="utf-8")))
    readme = (DOCS.parent / "README.zh-CN.md").read_text(encoding="utf-8")
    shown |= set(re.findall(r"figures/([\w.-]+)", readme))
    assert {name for name in shown if ".zh-CN." not in name} == {"house.svg"}
