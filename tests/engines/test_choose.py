from __future__ import annotations

import sys
from typing import Any

import pytest

from learnrate.engines import choose
from learnrate.engines.choose import ENGINES, choose_engine, estimated_seconds, get_engine
from learnrate.errors import OptionError

SMALL: dict[str, Any] = {"n": 1000, "d": 2, "batch_size": 10, "lanes": 4, "epochs": 3}
LARGE: dict[str, Any] = {"n": 20_000_000, "d": 50, "batch_size": 64, "lanes": 200, "epochs": 10}


def test_small_work_does_not_wait_for_numba(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "learnrate.engines.kernels.paths", raising=False)
    choice = choose_engine("auto", **SMALL)
    assert choice.engine.name == "gram"
    assert "estimated" in choice.reason


def test_large_work_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose_engine("auto", **LARGE).engine.name == "fused"
    monkeypatch.setattr(choose, "_seconds_to_start_fused", lambda kernels: float("inf"))  # no Numba
    assert choose_engine("auto", **LARGE).engine.name == "gram"


def test_what_is_still_to_be_paid_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    middle: dict[str, Any] = {"n": 100_000, "d": 20, "batch_size": 32, "lanes": 64, "epochs": 3}
    monkeypatch.setattr(choose, "_seconds_to_start_fused", lambda kernels: 0.0)
    assert choose_engine("auto", **middle).engine.name == "fused"
    monkeypatch.setattr(choose, "_seconds_to_start_fused", lambda kernels: 10.0)
    assert choose_engine("auto", **middle).engine.name == "gram"


def test_more_work_takes_longer() -> None:
    for name in ("gram", "fused"):
        base = estimated_seconds(name, 10_000, 20, 32, 16, 3)
        assert estimated_seconds(name, 20_000, 20, 32, 16, 3) > base
        assert estimated_seconds(name, 10_000, 40, 32, 16, 3) > base
        assert estimated_seconds(name, 10_000, 20, 32, 32, 3) > base


@pytest.mark.parametrize("name", ENGINES)
def test_every_row_is_an_engine_of_its_name(name: str) -> None:
    assert get_engine(name).name == name
    assert choose_engine(name, **SMALL).reason == "asked for"


def test_an_unknown_engine_is_named() -> None:
    with pytest.raises(OptionError, match="Did you mean 'gram'"):
        get_engine("gran")
