from __future__ import annotations

import io

import numpy as np
import pytest
from rich.console import Console

from learnrate.report.curves import Curves
from learnrate.report.terminal import curve_table, sparkline


def text(curves: Curves, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(curve_table(curves, width))
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_a_falling_curve_falls_and_a_lost_one_is_crossed_out() -> None:
    assert sparkline([1000, 100, 10, 1], 1.0, 1000.0) == "█▆▃▁"
    assert sparkline([1, np.inf, np.nan], 1.0, 1000.0) == "▁××"
    assert len(sparkline(np.geomspace(1000, 1, 500), 1.0, 1000.0)) == 12


def test_the_table_has_a_row_per_rate() -> None:
    losses = np.array([[[10.0, 1.0, 0.044], [10.0, 0.1, np.inf]]])
    shown = text(Curves(lrs=np.array([0.01, 0.5]), losses=losses, outcomes=("falling", "gone")))
    rows = shown.splitlines()
    assert "0.01" in rows[1]
    assert "0.044" in rows[1]
    assert "falling" in rows[1]
    assert "∞" in rows[2]
    assert "gone" in rows[2]
    assert "interval" not in shown


def test_seeds_bring_an_interval_and_held_out_examples_r2() -> None:
    losses = np.random.default_rng(0).uniform(1, 2, (3, 1, 4))
    shown = text(
        Curves(
            lrs=np.array([0.1]),
            losses=losses,
            outcomes=("[red]fine[/red]",),
            val_losses=losses,
            score=("R²", np.full((3, 1), 0.75)),
        )
    )
    assert "95 % interval" in shown
    assert "0.750" in shown
    assert "[red]fine[/red]" in shown  # a user's text is text, not markup


def test_a_long_table_shows_some_rates_evenly_spread_and_the_suggested_one() -> None:
    K = 1000
    shown = text(
        Curves(
            lrs=np.arange(1, K + 1) / K,
            losses=np.ones((1, K, 2)),
            outcomes=("fine",) * K,
            suggested=123,
        )
    )
    assert shown.count("fine") == 40
    assert "0.124 " in shown
    assert "40 of 1,000 rates" in shown


@pytest.mark.parametrize("width", [36, 40, 60, 80, 200])
def test_no_number_is_cut_whatever_the_width(width: int) -> None:
    losses = np.random.default_rng(0).uniform(1, 2, (1, 2, 9))
    outcomes = ("still falling after 8 epochs", "diverging: ended above its start")
    shown = text(
        Curves(
            lrs=np.array([0.000123, 17.5]),
            losses=losses,
            val_losses=losses,
            outcomes=outcomes,
            verdicts=("safe", "borderline"),
        ),
        width,
    )
    assert all(len(line) <= width for line in shown.splitlines())
    assert "…" not in shown
    for word in ("0.000123", "17.5", *(f"{loss:.3g}" for loss in losses[0, :, -1])):
        assert word in shown
    assert ("No room here for" in shown) == (width < 80)
