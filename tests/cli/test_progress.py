"""What a terminal shows of a sweep while it runs."""

from __future__ import annotations

import io
import sys
from typing import Any

import pytest

import learnrate
from learnrate._translation import translator
from learnrate.cli import progress as module
from learnrate.cli.progress import SweepView
from learnrate.training import monitor as monitors


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def watch(monkeypatch: pytest.MonkeyPatch, *, columns: int = 100) -> Terminal:
    """Put a terminal in the place of standard error, where pytest has put its own for each test."""
    monkeypatch.setattr(module, "_DELAY_S", 0.0)
    monkeypatch.setattr(monitors, "_INTERVAL_S", 0.0)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", str(columns))
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    return terminal


def sweep(view: SweepView, **options: Any) -> None:
    X, y = learnrate.note_data(200)
    monitor = learnrate.Monitor(on_progress=view.update, on_message=view.say)
    lrs = [0.01, 0.03, 0.1, 1e20, 1e21]
    learnrate.sweep(X, y, lrs=lrs, epochs=4, engine="gram", monitor=monitor, **options)


def test_it_has_a_bar_the_speed_and_the_best_rates_with_their_curves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = watch(monkeypatch)
    with SweepView(shown=True) as view:
        sweep(view)
    text = terminal.getvalue()
    for words in (
        "training",
        "100 %",
        "0:00:00 left",
        "400 of 400 steps",
        "a second",
        "curve, log",
    ):
        assert words in text
    assert "2 diverged, 0 pruned, of 5 rates" in text
    shown = text.rpartition("training")[2].splitlines()
    assert [line.split()[0] for line in shown[3:6]] == ["0.1", "0.03", "0.01"]
    assert "█" in shown[3]
    assert "▁" in shown[3]


def test_a_narrow_terminal_and_chinese_have_room_for_all_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = watch(monkeypatch, columns=40)
    with SweepView(shown=True, translate=translator("zh")) as view:
        sweep(view, val=0.25, prune=True)
    last = terminal.getvalue().rpartition("训练")[2]
    assert "还需 0:00:00" in last
    assert "留出损失" in last
    assert "个已发散" in last
    assert "curve" not in last
    assert "…" not in last


def test_nothing_is_shown_where_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = watch(monkeypatch)
    seen: list[learnrate.SoFar] = []
    with SweepView(shown=False, also=seen.append) as view:
        sweep(view)
        view.say("something")
    assert seen[-1].finished
    monkeypatch.setattr(module, "_DELAY_S", 60.0)
    with SweepView(shown=True) as view:
        sweep(view)
    assert terminal.getvalue() == ""
    monkeypatch.setattr(module, "_DELAY_S", 0.0)
    monkeypatch.setattr(sys, "stderr", piped := io.StringIO())
    with SweepView(shown=True) as view:
        sweep(view)
    assert piped.getvalue() == ""


@pytest.mark.parametrize(
    ("rate", "words"), [(5.0, "5"), (12_345.0, "12.3k"), (2.5e6, "2.5M"), (3e9, "3G")]
)
def test_numbers_are_brief(rate: float, words: str) -> None:
    assert module._brief(rate) == words


def test_a_long_time_is_told_in_hours() -> None:
    assert module._clock(3 * 3600 + 65.4) == "3:01:05"
