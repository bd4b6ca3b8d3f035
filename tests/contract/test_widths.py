"""The compiled engine keeps its promises at every width of vectors, each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from learnrate.linear.kernels.vectors import LANE_BYTES

SUITE, LOSSES = (Path(__file__).with_name(f"test_{name}.py") for name in ("engines", "losses"))
ROOT = Path(__file__).parents[2]

WIDTHS = [16, 32, 64]
widths = pytest.mark.parametrize("width", WIDTHS)
others = pytest.mark.parametrize("width", [width for width in WIDTHS if width != LANE_BYTES])
"""This processor's own width is that of the suites themselves."""


def keep_their_promises(width: int, chosen: str, suite: Path = SUITE) -> None:
    """The quick tests of a contract suite with such names pass, and there are some."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-k", chosen, "-m", "not slow", str(suite)],
        env={**os.environ, "LEARNRATE_VECTOR_BYTES": str(width)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=3000,
    )
    assert done.returncode == 0, f"width {width}\n{done.stdout[-6000:]}"
    assert " passed" in done.stdout.splitlines()[-1]


@widths
def test_the_curves_are_the_plain_loops(width: int) -> None:
    """Both paths, float32 and float64."""
    keep_their_promises(width, "fused and sizes_that_matter")


@pytest.mark.slow
@others
def test_every_promise_is_kept(width: int) -> None:
    keep_their_promises(width, "fused")


@pytest.mark.slow
@others
def test_other_losses_are_the_plain_loops(width: int) -> None:
    keep_their_promises(width, "fused or plain_loop or sizes_that_matter", LOSSES)
