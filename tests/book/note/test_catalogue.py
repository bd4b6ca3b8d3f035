from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

import learnrate.book.note
from learnrate._translation import LANGUAGES, as_language
from learnrate.book.note.catalogue import catalogue, note_texts
from learnrate.book.note.launch import NOTES
from learnrate.book.note.tex import mathml

ROOM = Path(learnrate.book.note.__file__).parent
PLACE = re.compile(r"\[\[(\w+)\]\]")
FOLDERS = ("note", *(f"note/{name}" for name in NOTES))


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_text_is_there_in_both_languages_with_the_same_places(folder: str) -> None:
    for words in catalogue(folder).values():
        assert set(words) == set(LANGUAGES.values())
        assert all(words.values())
        assert set(PLACE.findall(words["zh"])) == set(PLACE.findall(words["en"]))
        assert not re.search(r"[\u4e00-\u9fff]", words["en"])


@pytest.mark.parametrize("folder", FOLDERS)
def test_bold_and_formulas_end_where_they_should(folder: str) -> None:
    for text in (text for words in catalogue(folder).values() for text in words.values()):
        parts = text.split("**")
        for bold, after in zip(parts[1::2], parts[2::2], strict=True):
            # In CommonMark bold text does not end between a full stop and a letter.
            assert bold[-1] not in "。，；：！？）" or after[:1] in ("", " ", "\n")
        for block, inline in re.findall(r"\$\$(.+?)\$\$|\$([^$\n]+)\$", text, re.DOTALL):
            ElementTree.fromstring(mathml(block or inline, block=bool(block)))


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_text_is_used(folder: str) -> None:
    """Some keys are put together: word_safe, missing_drop, zero_question."""
    joined = re.compile(
        r"(word|missing|outcome|zone|sentence|kind|label|save|slope_of|loss_of)_\w+|\w+_(question|answer|title)"
    )
    sources = [*ROOM.glob("*.py"), *(ROOM / "templates").iterdir()]
    sources += [p for p in (ROOM.parent / folder).iterdir() if p.suffix in (".py", ".md")]
    if folder == "note":
        sources += [*ROOM.glob("*/*.py"), *ROOM.glob("*/*.md")]
    code = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    named = {*re.findall(r"""["'](\w+)["']""", code), *PLACE.findall(code)}
    assert not [key for key in catalogue(folder) if key not in named and not joined.fullmatch(key)]


def test_values_are_put_in_their_places() -> None:
    t = note_texts("en", "linear")
    assert t("suggested_rate", rate=0.03) == "Suggested learning rate: 0.03"
    assert t("graph_at", order=1, name="loss", rule="1").startswith("Number 1: **loss**")


def test_chinese_lines_join_without_a_space() -> None:
    t = note_texts("zh", "linear")
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
    assert as_language() == lang
