"""The report that a sweep saves, opened with the network off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import learnrate

EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 2))
    table = pl.DataFrame({EVIL: X[:, 0], "b": X[:, 1], "<b>y</b>": X @ [2, -3.4] + 4})
    result = learnrate.sweep(
        table, target="<b>y</b>", lrs=[0.01, 0.1, 0.3, 2.5], epochs=8, seeds=3, val=0.2
    )
    return result.save(tmp_path_factory.mktemp("report") / "sweep.html")


def shown(page: Any) -> list[bool]:
    """Which of the curves that have a name are drawn."""
    return list(
        page.evaluate(
            "document.getElementById('curves').data.filter(t => t.name).map(t => t.visible !== false)"
        )
    )


def open_report(visit: Any, report: Path, **options: Any) -> Any:
    opened = visit(report.as_uri(), offline=True, **options)
    opened.page.wait_for_selector("#rates .main-svg")
    return opened


def test_it_draws_offline_and_asks_for_nothing(visit: Any, report: Path) -> None:
    opened = open_report(visit, report)
    assert opened.page.locator("#curves .scatterlayer .trace").count() >= 4
    assert opened.requests == [report.as_uri()]
    assert report.stat().st_size < 6e6


def test_user_text_stays_text(visit: Any, report: Path) -> None:
    page = open_report(visit, report).page
    assert EVIL in page.locator(".facts").first.inner_text()
    assert page.locator("img").count() == 0
    assert "<b>y</b>" in page.locator("h1").inner_text()


@pytest.mark.slow
def test_the_loss_axis_switches(visit: Any, report: Path) -> None:
    page = open_report(visit, report).page
    axis = "document.getElementById('curves')._fullLayout.yaxis.type"
    assert page.evaluate(axis) == "log"
    page.get_by_role("button", name="Linear").click()
    assert page.evaluate(axis) == "linear"
    assert page.get_by_role("button", name="Linear").get_attribute("aria-pressed") == "true"


@pytest.mark.slow
def test_a_rate_in_the_legend_is_hidden_shown_and_shown_alone(visit: Any, report: Path) -> None:
    page = open_report(visit, report).page
    button = page.get_by_role("button", name="lr=0.1")
    button.click()
    assert shown(page) == [True, False, True, True]
    button.press("Enter")
    assert shown(page) == [True] * 4
    button.dblclick()
    assert shown(page) == [False, True, False, False]
    button.dblclick()
    assert shown(page) == [True] * 4


@pytest.mark.slow
def test_hovering_tells_the_loss(visit: Any, report: Path) -> None:
    page = open_report(visit, report).page
    page.evaluate(
        "Plotly.Fx.hover('curves', [{curveNumber: document.getElementById('curves').data"
        ".findIndex(t => t.name === 'lr=0.1'), pointNumber: 2}])"
    )
    assert "epoch 2: loss" in str(page.locator("#curves .hoverlayer").text_content())


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("size", "width"), [("laptop", 1280), ("phone", 390)])
def test_it_fits_and_follows_the_theme(
    visit: Any, report: Path, theme: str, size: str, width: int
) -> None:
    opened = open_report(visit, report, theme=theme, width=width)
    page = opened.page
    page.wait_for_timeout(200)
    opened.shot(f"report-{theme}-{size}")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    dark = "document.documentElement.classList.contains('dark')"
    assert page.evaluate(dark) == (theme == "dark")
    page.get_by_role("button", name="Dark").click()
    assert page.evaluate(dark) == (theme != "dark")
