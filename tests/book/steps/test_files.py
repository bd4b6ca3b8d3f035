from __future__ import annotations

import json
from pathlib import Path

import pytest

from learnrate.book.steps import Explanation
from learnrate.errors import OptionError, OutputError


@pytest.mark.parametrize(
    ("name", "start"),
    [("a.html", "<!doctype html>"), ("a.SVG", "<svg"), ("a.mmd", "%%{init"), ("a.json", "{")],
)
def test_the_suffix_picks_the_format(
    note: Explanation, tmp_path: Path, name: str, start: str
) -> None:
    path = note.save(tmp_path / name, lang="zh")
    assert path.read_text(encoding="utf-8").startswith(start)
    assert [item.name for item in tmp_path.iterdir()] == [name]


def test_json_is_the_dictionary(note: Explanation, tmp_path: Path) -> None:
    text = note.save(tmp_path / "a.json").read_text(encoding="utf-8")
    assert json.loads(text) == json.loads(json.dumps(note.as_dict()))


def test_an_unknown_suffix_or_language_leaves_nothing(note: Explanation, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="svg"):
        note.save(tmp_path / "a.sgv")
    with pytest.raises(OptionError, match="'fr'"):
        note.save(tmp_path / "a.svg", lang="fr")
    with pytest.raises(OutputError, match="nowhere"):
        note.save(tmp_path / "nowhere" / "a.svg")
    assert not list(tmp_path.iterdir())
