from __future__ import annotations

import io
import sys

import pytest

from learnrate.cli import progress as module
from learnrate.cli.progress import EpochProgress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def watch(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Put a terminal in the place of standard error, where pytest has put its own for each test."""
    monkeypatch.setattr(module, "_BAR_DELAY_S", 0.0)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    return terminal


def test_examples_are_shown_with_their_rate_and_the_time_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = watch(monkeypatch)
    with EpochProgress(shown=True) as progress:
        for done in range(0, 1001, 100):
            progress.update_examples(done, 1000)
    text = terminal.getvalue()
    assert "100%" in text
    assert "examples/s" in text
    assert "0:00:00" in text


def test_epochs_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = watch(monkeypatch)
    with EpochProgress(shown=True) as progress:
        progress.update(1, 3)
        progress.update(3, 3)
    assert "3/3" in terminal.getvalue()
    assert "epochs" in terminal.getvalue()
    with EpochProgress(shown=True, counted="evaluations") as progress:
        progress.update(3, 3)
    assert "evaluations" in terminal.getvalue()


def test_nothing_is_shown_where_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = watch(monkeypatch)
    with EpochProgress(shown=False) as progress:
        progress.update_examples(1, 2)
        progress.say("something")
    monkeypatch.setattr(module, "_BAR_DELAY_S", 60.0)
    with EpochProgress(shown=True) as progress:
        progress.update_examples(1, 2)
    assert terminal.getvalue() == ""


@pytest.mark.parametrize(
    ("rate", "words"), [(5.0, "5"), (12_345.0, "12.3k"), (2.5e6, "2.5M"), (3e9, "3G")]
)
def test_rates_are_brief(rate: float, words: str) -> None:
    assert module._brief(rate) == words
