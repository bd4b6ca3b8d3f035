from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np
import pytest

import learnrate
from learnrate.errors import OptionError
from learnrate.linear import choose, costs, fused
from learnrate.linear.choose import ENGINES, choose_engine, get_engine
from learnrate.linear.costs import (
    fused_seconds,
    gram_seconds,
    outputs_seconds,
    rows_seconds,
    start_seconds,
)
from learnrate.linear.fused import Way

SMALL: dict[str, Any] = {"n": 1000, "d": 2, "batch_size": 10, "lanes": 4, "epochs": 3}
MIDDLE: dict[str, Any] = {"n": 100_000, "d": 20, "batch_size": 32, "lanes": 64, "epochs": 3}
LARGE: dict[str, Any] = {"n": 20_000_000, "d": 50, "batch_size": 64, "lanes": 200, "epochs": 10}
DOUBLE = np.dtype("float64")


def starting_takes(seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose, "start_seconds", lambda *size: seconds)


def test_small_work_does_not_wait_for_numba(monkeypatch: pytest.MonkeyPatch) -> None:
    starting_takes(0.1, monkeypatch)
    choice = choose_engine("auto", **SMALL)
    assert choice.engine.name == "gram"
    assert "0.1 s to start it" in choice.reason


def test_large_work_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    starting_takes(10, monkeypatch)
    assert choose_engine("auto", **LARGE).engine.name == "fused"
    starting_takes(math.inf, monkeypatch)  # no Numba
    choice = choose_engine("auto", **LARGE)
    assert choice.engine.name == "gram"
    assert "needs Numba" in choice.reason


def test_what_is_still_to_be_paid_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    starting_takes(0.0, monkeypatch)
    choice = choose_engine("auto", **MIDDLE)
    assert choice.engine.name == "fused"
    assert "start" not in choice.reason
    starting_takes(10.0, monkeypatch)
    assert choose_engine("auto", **MIDDLE).engine.name == "gram"


def test_kernels_are_paid_for_once_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of one type say nothing about those of another, or of the other path."""
    monkeypatch.setattr(fused, "READY", set())
    monkeypatch.setattr(costs, "is_kept", lambda name: name == "float32-grams")
    compiling = start_seconds(Way.GRAMS, DOUBLE)
    loading = start_seconds(Way.GRAMS, np.dtype("f4"))
    assert compiling > 2 > 0.5 > loading > 0
    fused.READY.add("float64-grams")
    assert start_seconds(Way.GRAMS, DOUBLE) == 0
    assert start_seconds(Way.GRAMS, np.dtype("f4")) == loading
    for other in (Way.ROWS, Way.OUTPUTS):
        assert start_seconds(other, np.dtype("f4")) > 2
        assert start_seconds(other, DOUBLE) > 2


def test_without_numba_there_is_no_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fused, "READY", set())
    monkeypatch.delitem(sys.modules, "numba", raising=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert math.isinf(start_seconds(Way.GRAMS, DOUBLE))


@pytest.mark.parametrize("seconds", [gram_seconds, fused_seconds, rows_seconds, outputs_seconds])
def test_more_work_takes_longer(seconds: Any) -> None:
    base = seconds(10_000, 20, 32, 16, 3, DOUBLE)
    assert seconds(20_000, 20, 32, 16, 3, DOUBLE) > base
    assert seconds(10_000, 40, 32, 16, 3, DOUBLE) > base
    assert seconds(10_000, 20, 32, 32, 3, DOUBLE) > base
    assert seconds(10_000, 20, 32, 16, 4, DOUBLE) > base


def test_other_losses_are_compiled_where_that_pays(monkeypatch: pytest.MonkeyPatch) -> None:
    starting_takes(10, monkeypatch)
    assert choose_engine("auto", **LARGE, grams=False, outputs=3).engine.name == "fused"
    choice = choose_engine("auto", **SMALL, grams=False, outputs=3)
    assert choice.engine.name == "rows"
    assert "rows" in choice.reason
    assert "to start it" in choice.reason
    assert choose_engine("auto", **LARGE, grams=False, outputs=0).engine.name == "rows"


def test_the_result_says_which_engine_and_why() -> None:
    X, y = learnrate.note_data()
    result = learnrate.sweep(X, y, lrs=[0.01, 0.1])
    assert result.engine in ("gram", "fused")
    assert result.engine_reason.startswith("estimated: gram ")
    assert result.as_dict()["engine"] == {"name": result.engine, "reason": result.engine_reason}
    assert learnrate.sweep(X, y, lrs=[0.01], engine="gram").engine_reason == "asked for"


@pytest.mark.parametrize("name", ENGINES)
def test_every_row_is_an_engine_of_its_name(name: str) -> None:
    assert get_engine(name).name == name
    assert choose_engine(name, **SMALL).reason == "asked for"


def test_an_unknown_engine_is_named() -> None:
    with pytest.raises(OptionError, match="Did you mean 'gram'"):
        get_engine("gran")
