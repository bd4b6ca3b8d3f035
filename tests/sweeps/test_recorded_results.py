"""Sweeps give the results of commit 84327dd, when linear and PyTorch sweeps shared nothing below their result.

With the engine `reference` and for PyTorch models they were the same bits on the machine where they were recorded.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.sweeps.record_results import ENGINES, LINEAR, TORCH, linear, of_torch

BEFORE = json.loads((Path(__file__).parent / "data" / "84327dd.json").read_text(encoding="utf-8"))


def assert_as_before(case: str, found: dict[str, Any], rtol: float) -> None:
    assert list(found) == list(BEFORE[case])
    for name, before in BEFORE[case].items():
        # Whether a loss that is not finite is inf or nan does not matter.
        now, then = (
            np.where(np.isfinite(a), a, np.nan) for a in map(np.array, (found[name], before))
        )
        np.testing.assert_allclose(now, then, rtol=rtol, err_msg=f"{case}: {name}")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", LINEAR)
def test_linear_sweeps_are_as_before(engine: str, name: str) -> None:
    rtol = 1e-3 if LINEAR[name].get("dtype") == "float32" else 1e-11
    assert_as_before(f"{engine}: {name}", linear(engine, LINEAR[name]), rtol)


@pytest.mark.extra
@pytest.mark.parametrize("name", TORCH)
def test_sweeps_of_models_are_as_before(name: str) -> None:
    assert_as_before(f"model: {name}", of_torch(TORCH[name]), 1e-11)
