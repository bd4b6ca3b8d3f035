from __future__ import annotations

import re
from pathlib import Path

import pytest

import learnrate.book.note
from learnrate.book.language import LANGUAGES, default_language
from learnrate.book.note.catalogue import catalogue, texts

ROOM = Path(learnrate.book.note.__file__).parent
PLACE = re.compile(r"\[\[(\w+)\]\]")


@pytest.mark.parametrize("key", catalogue())
def test_every_text_is_there_in_both_languages_with_the_same_places(key: str) -> None:
    words = catalogue()[key]
    assert set(words) == set(LANGUAGES.values())
    assert all(words.values())
    assert set(PLACE.findall(words["zh"])) == set(PLACE.findall(words["en"]))
    assert not re.search(r"[\u4e00-\u9fff]", words["en"])


def test_every_text_is_used() -> None:
    sources = [*ROOM.glob("*.py"), *(ROOM / "templates").iterdir()]
    code = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    # Some keys are put together: word_safe, missing_drop, zero_question.
    joined = re.compile(r"(word|missing|outcome)_\w+|(zero|batch|scale|half)_(question|answer)")
    quoted = set(re.findall(r"""["'](\w+)["']""", code))
    assert not [key for key in catalogue() if key not in quoted and not joined.fullmatch(key)]


def test_values_are_put_in_their_places() -> None:
    t = texts("en")
    assert t("suggested_rate", rate=0.03) == "Suggested learning rate: 0.03"
    assert t("graph_at", order=1, name="loss", rule="1").startswith("Number 1: **loss**")


def test_chinese_lines_join_without_a_space() -> None:
    t = texts("zh")
    assert "，\n" not in t("attach")
    assert "| --- |" in t("step_numbers")
    assert "\n| --- |" in t("step_numbers")


@pytest.mark.parametrize(
    ("variables", "lang"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "en_GB.UTF-8"}, "en"),
        ({"LC_ALL": "C", "LANG": "zh_CN.UTF-8"}, "en"),
        ({"LC_MESSAGES": "zh_TW", "LANG": "en_US"}, "zh"),
    ],
)
def test_the_language_is_the_systems(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], lang: str
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert default_language() == lang
