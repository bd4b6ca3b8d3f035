from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import learnrate
from learnrate.book.note.catalogue import note_texts
from learnrate.book.note.graph import graph
from learnrate.book.note.landscape import Landscape
from learnrate.book.note.momentum import drawings
from learnrate.book.note.momentum.bowl import Bowl
from learnrate.book.note.own_data import bytes_of, read, results_page
from learnrate.book.note.plot import Axis, Dot, Line, Plot

EN = note_texts("en", "linear")
EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def examples() -> tuple[Any, Any]:
    return learnrate.synthetic_data([2.0, -3.4], 4.2, 60, noise=0.5, seed=3)


def test_ticks_are_round_and_inside() -> None:
    assert [label for _, label in Axis("", 0, 3, whole=True).ticks()] == ["0", "1", "2", "3"]
    assert [value for value, _ in Axis("", -0.3, 1.05).ticks()] == pytest.approx(
        [-0.2, 0, 0.2, 0.4, 0.6, 0.8, 1.0]
    )
    assert [label for _, label in Axis("", 2e-5, 20, log=True).ticks()] == [
        "10⁻⁴",
        "10⁻³",
        "0.01",
        "0.1",
        "1",
        "10",
    ]


def test_a_point_is_placed_on_its_axes_and_a_line_ends_where_it_is_lost() -> None:
    plot = Plot("p", "", Axis("", 0, 10), Axis("", 1, 100, log=True))
    left, top, right, bottom = plot.box
    assert plot.place(5, 10) == (
        pytest.approx((left + right) / 2),
        pytest.approx((top + bottom) / 2),
    )
    leaving = plot.points([0, 1, 2, 3], [1, 10, np.inf, np.nan]).split()
    assert len(leaving) == 3
    assert float(leaving[-1].split(",")[1]) < -1000  # out of the picture, upwards


def test_a_drawing_is_whole_has_a_text_alternative_and_keeps_text_as_text() -> None:
    marks: list[Line | Dot] = [Line([0, 1], [0, 1], "ink", label=EVIL), Dot(0.5, 0.5, "good", EVIL)]
    svg = Plot("p", EVIL, Axis(EVIL, 0, 1), Axis("y", 0, 1), marks).svg()
    root = ElementTree.fromstring(svg)
    assert root.get("aria-label") == EVIL
    assert root.get("role") == "img"
    assert "<img" not in svg


def test_the_landscape_is_the_loss_with_the_best_bias(examples: tuple[Any, Any]) -> None:
    X, y = examples
    land = Landscape.of(X, y)
    for w in ([0.0, 0.0], [1.5, -2.0], land.best):
        error = y - X @ w
        slow = 0.5 * np.mean((error - error.mean()) ** 2)
        assert land.loss(w) == pytest.approx(slow, rel=1e-10)


def test_the_loss_is_the_same_along_a_contour(examples: tuple[Any, Any]) -> None:
    land = Landscape.of(*examples)
    for line in land.contours(land.axes(("a", "b"), keep=[np.zeros(2)])):
        losses = [land.loss(w) for w in zip(line.x, line.y, strict=True)]
        assert np.ptp(losses) < 1e-9 * max(losses)


def test_nodes_light_up_in_the_order_of_backward() -> None:
    step = learnrate.explain("note", batch_size=3)
    for lit in range(len(step.visited) + 1):
        root = ElementTree.fromstring(graph(step, lit, EN))
        nodes = [g for g in root.iter() if (g.get("class") or "").startswith("node ")]
        states = [str(g.get("class")).removeprefix("node ") for g in nodes]
        assert len(states) == len(step.nodes)
        assert states.count("now") == (1 if lit else 0)
        assert states.count("lit") == max(lit - 1, 0)
        now = [g for g in nodes if g.get("class") == "node now"]
        for g in now:
            assert "".join(g.itertext()).lstrip().startswith(step.visited[lit - 1].name)


def test_results_are_told_and_user_text_stays_text(tmp_path: Any) -> None:
    X, y = learnrate.note_data()
    rows = "\n".join(f"{a},{b},same,{c}" for (a, b), c in zip(X[:50], y[:50], strict=True))
    frame = read(f"../../{EVIL}.csv", f'"{EVIL}",b,"{EVIL} 2",y\n{rows}\n'.encode())
    assert frame.columns == [EVIL, "b", f"{EVIL} 2", "y"]
    result = learnrate.sweep(frame, target="y", epochs=2)
    page = results_page(result, EN)
    assert "<img" not in page
    assert "Left out: &lt;img src=x onerror=alert(1)&gt; 2 (" in page
    assert page.count("<tr") == len(result.lrs) + 1
    suggested = result.suggestion().lr
    assert suggested is not None
    assert f"Suggested learning rate: {suggested:.3g}" in page
    for rate in (result.lrs.min(), suggested, result.lrs.max()):
        assert f">lr={rate:.3g}</text>" in page
    assert bytes_of(result, "sweep.csv", "en").startswith(b"lr,seed,epoch,loss")


def test_what_is_said_of_a_table_is_in_the_notes_language() -> None:
    rows = "".join(f"{i % 7};same;{i % 5}\n" for i in range(50))
    frame = read("a.csv", f"a;b;y\n{rows}".encode())
    result = learnrate.sweep(frame, target="y", epochs=2)
    page = results_page(result, note_texts("zh", "linear"))
    assert "未采用的列：b（只有一个值：&#39;same&#39;）" in page
    assert "这里当作数来学习" in page
    report = bytes_of(result, "sweep.html", "zh").decode()
    assert "数据指纹" in report


def test_how_wide_a_suggestion_is_is_told(examples: tuple[Any, Any]) -> None:
    wide = results_page(learnrate.sweep(*examples, lrs=[0.3, 0.31], epochs=5), EN)
    assert "Rates from 0.3 to 0.31 are as good within 5 %. This holds for 5 epochs" in wide
    narrow = results_page(learnrate.sweep(*examples, lrs=[0.001, 0.3], epochs=5), EN)
    assert "<p>This holds for 5 epochs" in narrow


def test_a_sweep_without_any_good_rate_is_told(examples: tuple[Any, Any]) -> None:
    result = learnrate.sweep(*examples, lrs=[5.0, 50.0], epochs=5)
    assert "No rate can be suggested" in results_page(result, EN)


@pytest.mark.parametrize("start", [(-9.0, 3.0), (12.0, -6.0), (1.0, 0.0), (-12.0, 6.0)])
def test_the_picture_holds_the_path_from_wherever_it_starts(start: tuple[float, float]) -> None:
    t = note_texts("en", "momentum")
    bowl = Bowl(20.0, 20.0, start)
    path = bowl.momentum(0.5, 0.7, 100)
    np.testing.assert_array_equal(path.points[0], start)
    plot = drawings.paths("a-path", bowl, {"a": (path, "chosen")}, t)
    inside = [
        (axis.low <= path.points[:, i]) & (path.points[:, i] <= axis.high)
        for i, axis in enumerate((plot.x, plot.y))
    ]
    assert np.all(inside)
