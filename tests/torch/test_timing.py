"""Lanes are stacked only where that is quicker."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import learnrate.torch
from learnrate.torch import timing
from tests.torch.models import mlp, regression

KEPT: dict[str, Any] = {"loss": "mse", "lrs": [0.01, 0.1], "batch_size": 16, "epochs": 22}


@pytest.mark.parametrize("stacked", [1.0, 9.0])
def test_the_quicker_way_is_taken(stacked: float, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = learnrate.torch.sweep(mlp(), regression(), **KEPT)
    assert "stacked" in expected.engine_reason
    times = itertools.cycle([1.0, stacked])  # of one lane, and of both stacked
    monkeypatch.setattr(timing, "_SMALL", 0)
    monkeypatch.setattr(timing, "_seconds", lambda run, device: (run(), next(times))[1])
    result = learnrate.torch.sweep(mlp(), regression(), **KEPT)
    assert ("which is quicker here" in result.engine_reason) == (stacked > 2)
    assert not result.notes
    np.testing.assert_allclose(result.losses, expected.losses, rtol=1e-9)


def test_a_short_sweep_of_a_large_model_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "_SMALL", 0)
    result = learnrate.torch.sweep(mlp(), regression(), **{**KEPT, "epochs": 2})
    assert "one lane at a time" in result.engine_reason
