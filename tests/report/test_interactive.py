from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from matplotlib.figure import Figure

import learnrate
from learnrate.errors import MissingExtraError
from learnrate.report.curves import Curves, Outlook
from learnrate.report.interactive import ReportTexts, render_report
from learnrate.report.plotly_figures import MOST_CURVES, curves_figure, palettes, rates_figure
from learnrate.report.static import draw_rates
from tests.report.test_static import curves

EVIL = "<img src=x onerror=alert(1)>"
TEXTS = ReportTexts(
    title="Title",
    facts=(("examples", "10"),),
    sentences=("Suggested.",),
    remarks=(),
    command="learnrate sweep",
    versions=(("learnrate", "1"),),
    fingerprint="0123456789abcdef",
)


AHEAD = Outlook(
    *(0.05, 0.02, 0.1, "for 300 epochs"),
    np.array([0.4, 0.2]),
    np.array([3.0, 1.0]),
    np.array([1, 4]),
)


def coloured(part: Any, palette: dict[str, str]) -> Any:
    """The figure with its colour tokens replaced, as the page does it."""
    if isinstance(part, str) and part.startswith("@"):
        return palette[part[1:].split("/")[0]]
    if isinstance(part, list):
        return [coloured(item, palette) for item in part]
    if isinstance(part, dict):
        return {name: coloured(item, palette) for name, item in part.items()}
    return part


def full(K: int = 4, S: int = 3) -> Curves:
    """Curves with everything that can be known about them."""
    drawn = curves(K, S, diverge=True)
    return replace(
        drawn,
        suggested=1,
        predicted=drawn.losses[0] * 1.1,
        limit=0.5,
        typical_limit=0.7,
        lines=((0.6, "2/sharpness: 0.6"),),
        floors=drawn.lrs * 1e-2,
        outlook=AHEAD,
    )


def test_a_longer_run_has_its_rate_its_band_and_the_way_there() -> None:
    drawn = {
        trace["name"]: trace for trace in rates_figure(full())["data"] if trace.get("fill") is None
    }
    band = next(trace for trace in rates_figure(full())["data"] if trace.get("fill"))
    assert (min(band["x"]), max(band["x"])) == (0.02, 0.1)
    assert drawn["for 300 epochs"]["x"] == [0.05, 0.05]
    way = drawn["best rate after so many epochs, by the lowest loss so far"]
    assert (way["x"], way["y"], way["text"]) == ([0.4, 0.2], [3.0, 1.0], ["1", "4"])
    for palette in palettes(
        full()
    ).values():  # the page makes it transparent, which it can of rgb(…)
        assert palette[band["fillcolor"][1:].split("/")[0]].startswith("rgb(")
    ax = draw_rates(full(), Figure().add_subplot())
    lines = {str(line.get_label()): line for line in ax.lines}
    assert lines["for 300 epochs"].get_xdata()[0] == 0.05  # type: ignore[index]
    np.testing.assert_array_equal(
        lines["best rate after so many epochs, by the lowest loss so far"].get_xydata(),
        [[0.4, 3.0], [0.2, 1.0]],
    )
    (shade,) = ax.patches
    np.testing.assert_allclose(shade.get_extents().x0, ax.transData.transform((0.02, 1))[0])


def drawing(page: str) -> Any:
    found = re.search(r'<script type="application/json" id="drawing">(.*?)</script>', page)
    assert found
    return json.loads(found[1])


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("make", [curves_figure, rates_figure])
def test_plotly_takes_the_figures(make: Any, theme: str) -> None:
    figure = go.Figure(coloured(make(full()), palettes(full())[theme]))
    assert len(figure.data) > 4


def test_a_curve_per_rate_holds_the_losses() -> None:
    few = curves(3)
    named = [trace for trace in curves_figure(few)["data"] if "name" in trace]
    assert [trace["name"] for trace in named] == list(few.labels())
    for trace, losses in zip(named, few.losses[0], strict=True):
        np.testing.assert_allclose(trace["y"], losses, rtol=1e-5)


def test_a_diverging_curve_leaves_the_picture_and_says_its_true_loss() -> None:
    drawn = curves_figure(curves(diverge=True))
    last = drawn["data"][-1]
    assert last["y"][-2:] == [None, None]
    assert last["customdata"][-1] == "∞"
    low, high = drawn["layout"]["meta"]["log"]
    assert low < high < 3


def test_limits_floor_and_suggestion_are_named() -> None:
    names = {trace["name"] for trace in rates_figure(full())["data"]}
    assert {"measured", "diverged", "predicted", "floor", "limit (mean): 0.5"} <= names
    assert {"limit (typical run): 0.7", "2/sharpness: 0.6", "suggested: 0.0464"} <= names


def test_user_text_is_escaped_everywhere() -> None:
    words = f"{EVIL}</script><script>alert(2)</script>"
    evil = ReportTexts(
        title=words,
        facts=((words, words),),
        sentences=(words,),
        remarks=(words,),
        command=words,
        versions=((words, words),),
        fingerprint=words,
    )
    page = render_report(replace(full(), outcomes=(words,) * 4, quantity=words), evil)
    assert EVIL not in page
    assert "alert(2)</script>" not in page
    assert page.count("<script") == 3
    hovers = [t["hovertemplate"] for t in drawing(page)["curves"]["data"] if "name" in t]
    assert len(hovers) == 4
    assert all("&lt;img" in hover and "<img" not in hover for hover in hovers)


def test_a_large_sweep_is_thinned_and_stays_small() -> None:
    lrs = np.geomspace(1e-5, 1, 5000)
    losses = np.exp(-lrs[None, :, None] * np.arange(500)) * np.ones((2, 1, 1))
    large = Curves(lrs=lrs, losses=losses, outcomes=("still falling",) * 5000, suggested=4321)
    page = render_report(large, TEXTS)
    assert len(page.encode()) < 6e6
    assert f"{MOST_CURVES} of 5,000 rates" in page
    assert len([t for t in drawing(page)["curves"]["data"] if "name" in t]) == MOST_CURVES


def test_the_page_is_the_same_for_the_same_sweep_and_names_no_other_page() -> None:
    page = render_report(full(), TEXTS)
    assert page == render_report(full(), TEXTS)
    assert "default-src 'none'" in page
    own = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    assert "http://" not in own
    assert "https://" not in own


def test_a_saved_sweep_says_where_it_comes_from(tmp_path: Path) -> None:
    X, y = learnrate.note_data()
    result = learnrate.sweep(X, y, lrs=[0.01, 0.03], epochs=2, seeds=2, batch_size=20)
    page = result.save(tmp_path / "a.html").read_text(encoding="utf-8")
    call = "learnrate.sweep(X, y, lrs=[0.01, 0.03], batch_size=20, epochs=2, seeds=2)"
    assert call in page
    assert result.fingerprint is not None
    assert result.fingerprint in page
    assert str(result.suggestion()) in page


def test_without_plotly_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "plotly.offline", None)
    result = learnrate.sweep(*learnrate.note_data(), lrs=[0.01], epochs=1)
    with pytest.raises(MissingExtraError, match=r"pip install 'learnrate\[note\]'"):
        result.save(tmp_path / "a.html")
    assert not list(tmp_path.iterdir())


def test_the_buttons_over_a_drawing_hide_nothing_of_it() -> None:
    for make in (curves_figure, rates_figure):
        layout = make(full())["layout"]
        assert layout["modebar"]["bgcolor"] == "rgba(0,0,0,0)"
        assert layout["margin"]["t"] >= 30
