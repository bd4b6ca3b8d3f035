from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from learnrate.book.steps import Explanation
from learnrate.book.steps.files import render_html
from tests.book.steps.conftest import HOSTILE

VOID = {"meta", "br", "img", "link", "input", "hr"}


class Page(HTMLParser):
    """Elements, attributes and text of a page; every element must be closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize(("lang", "declared"), [("en", "en"), ("zh", "zh-CN")])
def test_a_page_of_its_own(note: Explanation, lang: str, declared: str) -> None:
    html = render_html(note, lang=lang)
    page = Page(html)
    assert ("lang", declared) in page.attributes
    assert {"script", "link", "img", "iframe"} & set(page.tags) == set()
    assert page.tags.count("svg") == 1
    for name, value in page.attributes:
        assert not name.startswith("on")
        assert name not in ("src",)
        if name == "href":
            assert value.startswith("#")
            assert ("id", value[1:]) in page.attributes
    assert not re.search(r"@import|url\((?!#)", html)
    assert "http" not in html.replace("http://www.w3.org/2000/svg", "")


def test_every_section_is_there(note: Explanation) -> None:
    page = Page(render_html(note))
    assert page.tags.count("section") == 6
    for word in (
        "sgd([w, b], lr, batch_size)",
        "-19.18",
        "w[x1]",
        "1 (epoch 1, minibatch 1 of 334)",
    ):
        assert word in page.text


def test_long_lists_are_abridged_with_their_counts(large: Explanation) -> None:
    page = Page(render_html(large))
    assert page.text.count("… 25 more rows") == 2
    assert "… 33 more" in page.text
    assert page.tags.count("td") < 500


def test_names_of_columns_stay_text(hostile: Explanation) -> None:
    html = render_html(hostile)
    page = Page(html)
    assert {"img", "script"} & set(page.tags) == set()
    assert "{{ 7 * 7 }}" in page.text
    assert HOSTILE[0][:9] in page.text
    assert "\x1b" not in html
    assert "\x00" not in html


def test_every_colour_has_one_for_dark_pages(note: Explanation) -> None:
    page = render_html(note, lang="en")
    light, dark = page.split("@media screen and (prefers-color-scheme: dark)", 1)
    dark, graph = dark.split("</style>", 1)
    variables = set(re.findall(r"(--\w+): #", light))
    assert variables == set(re.findall(r"(--\w+): #", dark))
    assert not re.findall(r"^(?!:root).*#[0-9a-f]{3,6}", light.split("<style>")[1], re.MULTILINE)
    rules = re.findall(r"^(\.graph[^{]*)\{[^}]*(?:#|fill|stroke: )", graph, re.MULTILINE)
    selectors = {selector.strip() for rule in rules for selector in rule.split(",")}
    assert selectors > {".graph text", ".graph .parameter rect"}
    missing = {selector for selector in selectors if f"body {selector}" not in dark}
    assert missing == set()
