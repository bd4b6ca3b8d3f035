"""The width of vectors is a setting, so that what another processor would do is tried on this one."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from learnrate.errors import OptionError
from learnrate.linear import kernel_cache

PROGRAM = """
from learnrate.linear.kernel_cache import cache_folder
from learnrate.linear.kernels.vectors import LANE_BYTES
print(LANE_BYTES, cache_folder())
"""


def python(*arguments: str, width: str) -> subprocess.CompletedProcess[str]:
    """A process in which vectors have that width."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "LEARNRATE_VECTOR_BYTES": width,
    }
    return subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, timeout=300
    )


def test_each_width_has_kernels_of_its_own() -> None:
    said = [python("-c", PROGRAM, width=width).stdout.split(maxsplit=1) for width in ("16", "32")]
    assert [width for width, _ in said] == ["16", "32"]
    assert said[0][1] != said[1][1]


@pytest.mark.parametrize("width", ["24", "wide", "0"])
def test_another_width_is_refused(width: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEARNRATE_VECTOR_BYTES", width)
    with pytest.raises(OptionError, match=f"must be 16, 32 or 64.*Got '{width}'"):
        kernel_cache.vector_bytes.__wrapped__()


def test_on_the_command_line_that_is_one_line() -> None:
    done = python("-m", "learnrate", "sweep", "--engine", "fused", width="128")
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "LEARNRATE_VECTOR_BYTES" in done.stderr
