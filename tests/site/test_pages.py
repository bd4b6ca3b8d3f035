"""What the pages of the site say in numbers, and what the reference must list."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import learnrate
from docs.make_site import pages, with_links_mended
from learnrate.book.note.tex import mathml

DOCS = Path(__file__).parents[2] / "docs"
SUBMODULES = {"autograd", "data", "errors", "nd", "scratch", "theory"}


def test_every_page_has_a_sister_in_the_other_language() -> None:
    english = {p.name.removesuffix(".md") for p in DOCS.glob("*.md") if ".zh-CN" not in p.name}
    chinese = {p.name.removesuffix(".zh-CN.md") for p in DOCS.glob("*.zh-CN.md")}
    # at the repository's root there are CONTRIBUTING.md and CHANGELOG.md
    assert chinese - english == {"contributing", "changelog"}
    assert english <= chinese


def entries(page: str) -> list[str]:
    """Pages in the tables of contents of an index."""
    blocks = re.findall(r"```\{toctree\}(.*?)```", (DOCS / page).read_text("utf-8"), re.S)
    return [line for block in blocks for line in block.splitlines() if re.match(r"[a-z]", line)]


@pytest.mark.parametrize("name", ["index.md", "note.zh-CN.md"])
def test_the_explorer_is_linked_beside_the_pages_of_its_language(name: str) -> None:
    page = DOCS / name
    mended = with_links_mended(page.read_text("utf-8"), page, pages())
    assert "](site:play.html)" in mended


def test_formulas_are_the_same_in_both_languages_and_can_be_typeset() -> None:
    """On lines of their own; a formula that is set in letters of a typewriter would be a block ``text``."""
    for page in ("theory", "engines"):
        english, chinese = (
            re.findall(r"^```math\n(.*?)^```", (DOCS / name).read_text("utf-8"), re.M | re.S)
            for name in (f"{page}.md", f"{page}.zh-CN.md")
        )
        assert english == chinese
        assert len(english) >= 3
        for formula in english:
            assert mathml(formula, block=True).startswith('<math display="block">')
    for path in DOCS.glob("*.md"):
        plain = re.findall(r"^```text\n(.*?)^```", path.read_text("utf-8"), re.M | re.S)
        assert not [
            block for block in plain if block.count("\n") < 4 and re.search(r"[Σλδθ]", block)
        ]


def test_chinese_has_one_word_for_an_epoch() -> None:
    folders = (DOCS, DOCS.parent / "src" / "learnrate")
    found = [
        p for folder in folders for p in (*folder.rglob("*.zh-CN.md"), *folder.rglob("*.toml"))
    ]
    assert len(found) > 30
    for path in (*found, DOCS.parent / "README.zh-CN.md"):
        text = path.read_text("utf-8").replace("\n", "")
        assert not re.search(r"(?<!迭代)周期", text), path.name


def test_both_indexes_list_the_same_pages() -> None:
    assert entries("index.md") == [e.removesuffix(".zh-CN") for e in entries("index.zh-CN.md")]


@pytest.mark.parametrize("suffix", ["", ".zh-CN"])
def test_the_reference_lists_every_public_name(suffix: str) -> None:
    listed = "".join(
        (DOCS / f"{page}{suffix}.md").read_text("utf-8") for page in ("api", "api-arrays")
    )
    found = set(re.findall(r"auto(?:function|class|module):: learnrate\.(\w+)$", listed, re.M))
    assert found - {"lightning", "sklearn", "skorch", "torch", "transformers"} == set(
        learnrate.__all__
    )
    assert found > SUBMODULES


def test_choosing_shows_todays_rates() -> None:
    def suggested(**options: int) -> tuple[float | None, float | None]:
        result = learnrate.sweep("diabetes", **options)  # type: ignore[arg-type]
        return result.suggestion().lr, result.limit

    page = (DOCS / "choosing.md").read_text("utf-8")
    rows = re.findall(r"^\| (\d+)[^|]*\| ([\d.]+) \| ([\d.]+) \|$", page, re.M)
    assert [int(size) for size, _, _ in rows] == [1, 10, 100, 442]
    for size, lr, limit in rows:
        now = suggested(epochs=20, batch_size=int(size))
        assert now == pytest.approx((float(lr), float(limit)), rel=5e-3)
    assert suggested(epochs=1)[0] == 0.0763
    assert suggested(epochs=3)[0] == 0.0331
    assert rows == re.findall(
        r"^\| (\d+)[^|]*\| ([\d.]+) \| ([\d.]+) \|$",
        (DOCS / "choosing.zh-CN.md").read_text("utf-8"),
        re.M,
    )
