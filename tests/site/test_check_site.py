"""The check of the built site finds what is broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.check_site import complaints


def page(folder: Path, body: str, lang: str = "en") -> None:
    (folder / "index.html").write_text(f'<html lang="{lang}"><body>{body}</body></html>')


def test_a_sound_page(tmp_path: Path) -> None:
    page(tmp_path, '<h1 id="a">A</h1><a href="#a">a</a><a href="https://example.org/">away</a>')
    assert complaints(tmp_path) == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('<a href="other.html">x</a>', "no such file"),
        ('<a href="#b">x</a>', "no such place"),
        ('<script src="https://cdn.example.org/x.js"></script>', "from elsewhere"),
        ('<img src="//cdn.example.org/x.png">', "from elsewhere"),
    ],
)
def test_a_broken_page(tmp_path: Path, body: str, words: str) -> None:
    page(tmp_path, body)
    [complaint] = complaints(tmp_path)
    assert words in complaint


def test_the_language_and_an_empty_folder(tmp_path: Path) -> None:
    assert complaints(tmp_path) == [f"{tmp_path} holds no page"]
    page(tmp_path, "", lang="zh-CN")
    assert "lang" in complaints(tmp_path)[0]
    (tmp_path / "index.html").unlink()
    (tmp_path / "zh-CN").mkdir()
    page(tmp_path / "zh-CN", "<span>\nNext\n</span><p>On this page we see</p>", lang="zh-CN")
    assert complaints(tmp_path) == ["zh-CN/index.html says Next in English"]
