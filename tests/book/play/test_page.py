"""The explorer's page as a file; `tests/browser/test_play.py` opens it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import learnrate.book.play
from learnrate._translation import LANGUAGES
from learnrate.book.note.catalogue import catalogue
from learnrate.book.play import open_page, page, save_page
from learnrate.cli import main
from learnrate.errors import OutputError

TEMPLATES = Path(learnrate.book.play.__file__).parent / "templates"
DOCS = Path(__file__).parents[3] / "docs"
PLACE = re.compile(r"\[\[(\w+)\]\]")


@pytest.mark.parametrize("key", catalogue("play"))
def test_every_text_is_there_in_both_languages_with_the_same_places(key: str) -> None:
    words = catalogue("play")[key]
    assert set(words) == set(LANGUAGES.values())
    assert all(words.values())
    assert set(PLACE.findall(words["zh"])) == set(PLACE.findall(words["en"]))
    assert not re.search(r"[\u4e00-\u9fff]", words["en"])


def test_every_text_is_used() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in TEMPLATES.iterdir())
    # Some keys are put together: slow_sentence, floor_number, how_mean.
    joined = re.compile(r"(how|words|python)_\w+|\w+_(sentence|number|alt)")
    quoted = set(re.findall(r"""["'](\w+)["']""", code))
    assert not [key for key in catalogue("play") if key not in quoted and not joined.fullmatch(key)]


def test_it_holds_everything_and_its_policy_forbids_the_rest() -> None:
    text = page()
    assert "default-src 'none'" in text
    assert not re.search(r"""\b(src|href)=|\burl\((?!#)|@import|https?:|\bimport\(""", text)
    assert len(text) < 100_000


@pytest.mark.parametrize(("lang", "said"), [(None, "en"), ("en", "en"), ("zh", "zh-CN")])
def test_it_says_its_language(lang: str | None, said: str) -> None:
    assert f'<html lang="{said}">' in page(lang=lang)


def test_the_file_in_docs_is_todays_page() -> None:
    assert (DOCS / "play.html").read_text(encoding="utf-8") == page(), (
        "make it anew: learnrate play --save docs/play.html"
    )


def run(*arguments: str) -> int | str | None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return ended.value.code


def test_the_command_writes_it(tmp_path: Path, capsys: Any) -> None:
    target = tmp_path / "play.html"
    assert run("play", "--save", str(target), "--lang", "zh") == 0
    assert target.read_text(encoding="utf-8") == page(lang="zh")
    assert str(target) in capsys.readouterr().out


def test_the_command_opens_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    monkeypatch.setattr("learnrate.book.play.document.user_cache", lambda name: tmp_path / name)
    assert run("play") == 0
    assert opened == [(tmp_path / "play" / "play.html").as_uri()]
    assert run("play", "--no-browser") == 0
    assert len(opened) == 1
    assert "play.html" in capsys.readouterr().out
    assert open_page(browser=False).read_text(encoding="utf-8") == page()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--save", "play.pdf"], "must end in .html"),
        (["--save", "nowhere/play.html"], "folder must exist"),
        (["--lang", "fr"], "--lang must be"),
        (["--save", "play.html", "--no-browser"], "--no-browser has no effect with --save"),
    ],
)
def test_bad_input_gets_one_line(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("play", *arguments) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_saving_refuses_other_suffixes(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"\.html"):
        save_page(tmp_path / "play.txt")
