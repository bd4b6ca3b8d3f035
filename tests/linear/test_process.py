"""The fused engine in a process of its own: without Numba, and where kernels cannot be kept on disk."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

PROGRAM = """
import json, sys, warnings
if "without numba" in sys.argv:
    sys.modules["numba"] = None  # importing it is an ImportError
import learnrate
X, y = learnrate.note_data()
messages = []
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    fused = [
        learnrate.sweep(X, y, lrs=[0.01, 0.3], engine="fused", monitor=learnrate.Monitor(on_message=messages.append))
        for _ in range(2)
    ]
    auto = learnrate.sweep(X, y, lrs=[0.01, 0.3])
names = [result.engine for result in fused]
gram = learnrate.sweep(X, y, lrs=[0.01, 0.3], engine="gram")
json.dump({
    "fused": [result.losses.tolist() for result in fused],
    "gram": gram.losses.tolist(),
    "names": names,
    "auto": [auto.engine, auto.engine_reason],
    "warnings": [str(w.message) for w in caught],
    "messages": messages,
}, sys.stdout)
"""


def run(*arguments: str, **variables: str) -> Any:
    """What the program says, with only these environment variables beside the path."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path), **variables}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    said = json.loads(done.stdout)
    for losses in said["fused"]:
        np.testing.assert_allclose(losses, said["gram"], rtol=1e-9)
    return said


def test_without_numba_gram_trains_after_one_warning(tmp_path: Path) -> None:
    said = run("without numba", HOME=str(tmp_path))
    assert len(said["warnings"]) == 1
    assert "pip install numba" in said["warnings"][0]
    assert said["names"] == ["gram", "gram"]
    assert said["auto"][0] == "gram"
    assert "needs Numba" in said["auto"][1]
    assert said["messages"] == []


def test_with_no_place_for_kernels_they_are_compiled_after_one_warning(tmp_path: Path) -> None:
    """And compiling is announced. Nobody can write below a file, root included."""
    (tmp_path / "file").touch()
    said = run(HOME=str(tmp_path / "file"))
    assert len(said["warnings"]) == 1
    assert "NUMBA_CACHE_DIR" in said["warnings"][0]
    assert len(said["messages"]) == 1
    assert "Compiling" in said["messages"][0]


@pytest.mark.slow
def test_kernels_are_kept_in_the_folder_that_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "kernels"
    first = run(HOME=str(tmp_path), NUMBA_CACHE_DIR=str(folder))
    assert (len(first["warnings"]), len(first["messages"])) == (0, 1)
    assert list(folder.rglob("*.nbi"))
    assert list(tmp_path.iterdir()) == [folder]
    second = run(HOME=str(tmp_path), NUMBA_CACHE_DIR=str(folder))
    assert second["warnings"] == []
    assert second["fused"] == first["fused"]


@pytest.mark.slow
def test_a_named_folder_that_cannot_be_made_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = run(HOME=str(tmp_path), NUMBA_CACHE_DIR=str(tmp_path / "file" / "below"))
    assert len(said["warnings"]) == 1
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]
