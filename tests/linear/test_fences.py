"""No kernel reads or writes outside its arrays, whatever the shape and the width of vectors."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs mprotect")
ROOT = Path(__file__).parents[2]


def run_between_fences(width: int, dtype: str, examples: int) -> None:
    """In a process of its own, which a stray access ends; the last shape that it printed is the one."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.linear.fences", dtype, str(examples)],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]),
            "LEARNRATE_VECTOR_BYTES": str(width),
        },
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=3000,
    )
    said = done.stdout.splitlines()
    what = f"width {width}: ended with {done.returncode} on {said[-1:]}\n{done.stderr[-2000:]}"
    assert done.returncode == 0, what
    assert said[-1] == "all inside"


widths = pytest.mark.parametrize("width", [16, 32, 64])
types = pytest.mark.parametrize("dtype", ["float64", "float32"])


@widths
@types
def test_kernels_stay_inside_their_arrays(width: int, dtype: str) -> None:
    run_between_fences(width, dtype, 8)


@pytest.mark.slow
@widths
@types
def test_kernels_stay_inside_their_arrays_at_length(width: int, dtype: str) -> None:
    run_between_fences(width, dtype, 150)
