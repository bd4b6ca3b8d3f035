"""The drawing: well-formed, complete, nothing on top of anything else, and text that stays text."""

from __future__ import annotations

from itertools import combinations
from xml.etree import ElementTree

import pytest
from rich.cells import cell_len

from learnrate.book.steps import Explanation, explain
from learnrate.book.steps.files import render_svg
from learnrate.book.steps.layout import lay_out
from learnrate.book.steps.messages import messages_in

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_each_node_has_its_card_with_values_gradient_and_order(
    note: Explanation, lang: str
) -> None:
    root = ElementTree.fromstring(render_svg(note, lang=lang))
    kinds = [group.get("class") for group in root.findall(f"{SVG}g")]
    assert [kinds.count(kind) for kind in ("data", "parameter", "operation")] == [2, 2, 5]
    shown = texts(render_svg(note, lang=lang))
    for word in ("ŷ = Xw + b", "-19.18", "17.19", "w.grad", "#145", "Xᵀ · grad(Xw)", *"1234567"):
        assert word in shown
    lines = [line.get("class") for line in root.iter(f"{SVG}line")]
    assert lines.count("value") == 8 + 1  # one for each input of an operation, one in the legend
    assert lines.count("gradient") == 6 + 1 + 1  # X and y send none back; the start; the legend


def test_long_lists_are_abridged_with_their_counts(large: Explanation) -> None:
    shown = texts(render_svg(large))
    assert "… 28 more rows" in shown  # of 32 examples
    assert "… 36 more rows" in shown  # of 40 weights
    assert len(shown) < 200


def test_names_of_columns_stay_text(hostile: Explanation) -> None:
    svg = render_svg(hostile)
    assert "<img" not in svg
    assert any(text.startswith("<img") for text in texts(svg))
    assert "49" not in texts(svg)


@pytest.mark.parametrize("features", [1, 2, 40])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_cards_hold_their_text_and_do_not_overlap(features: int, lang: str) -> None:
    import numpy as np

    rng = np.random.default_rng(0)
    e = explain(rng.normal(size=(20, features)), 1e5 * rng.normal(size=20), batch_size=9)
    m = messages_in(lang)
    drawing = lay_out(e, m)
    for place in drawing.places:
        assert place.x >= 0
        assert place.x + place.width <= drawing.width
        assert place.y + place.height <= drawing.height
        for cell in place.card.cells(place.width):
            width = 6 * cell_len(cell.text)
            left = cell.x - {"start": 0, "middle": width / 2, "end": width}[cell.anchor]
            assert left >= 0
            assert left + width <= place.width
            assert 0 < cell.y < place.height
    for one, other in combinations(drawing.places, 2):
        apart = one.x + one.width < other.x or other.x + other.width < one.x
        apart |= one.y + one.height < other.y or other.y + other.height < one.y
        assert apart
    for text in (m.forward_arrow, m.backward_arrow, m.order_mark):
        assert drawing.legend[0] + 38 + 7 * cell_len(text) <= drawing.width
    for arrow in drawing.arrows:
        if arrow.anchor == "start":
            assert arrow.label_x + 7 * cell_len(arrow.label) <= drawing.width
    assert drawing.width < 900


def test_the_same_step_gives_the_same_file(note: Explanation) -> None:
    assert render_svg(note) == render_svg(explain("note"))
