"""Float32 by every way into the product, at every width of vectors: the curves of float64 to four digits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import learnrate
from learnrate._shapes import Array

PROGRAM = """
import json, sys
from pathlib import Path
import numpy as np
import polars as pl
import learnrate
from learnrate.cli import main
from learnrate.sklearn import SweptSGDRegressor

table, cache = sys.argv[1:]
frame = pl.read_csv(table)
X, y = frame.drop("y").to_numpy().astype(np.float32), frame["y"].to_numpy().astype(np.float32)
options = {"batch_size": 7, "epochs": 3, "dtype": "float32", "engine": "fused", "standardize": False}
lrs = [0.01, 0.1, 0.3]
blocks = learnrate.OutOfCore("20MB", block_size=100, cache=Path(cache))
said = {
    "arrays": learnrate.sweep(X, y, lrs=lrs, **options).losses,
    "threads": learnrate.sweep(X, y, lrs=lrs, threads=3, **options).losses,
    "seeds": learnrate.sweep(X, y, lrs=lrs, seeds=2, threads=2, **options).losses[:1],
    "out of core": learnrate.sweep(table, target="y", lrs=lrs, memory=blocks, **options).losses,
    "estimator": SweptSGDRegressor(lrs=lrs, random_state=0, **options).fit(X, y).curves_,
}
json.dump({name: losses.tolist() for name, losses in said.items()}, Path(cache, "said.json").open("w"))
main(["sweep", table, "-t", "y", "--lrs", "0.01,0.1,0.3", "-b", "7", "-e", "3", "--dtype", "float32",
      "--engine", "fused", "--no-standardize", "--save", str(Path(cache, "curves.csv"))])
"""

N, D = 300, 11


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N, D)).astype(np.float32)
    y = (X @ np.arange(D) + rng.normal(size=N)).astype(np.float32)
    path = tmp_path_factory.mktemp("float32") / "table.csv"
    header = ",".join([*(f"x{j}" for j in range(D)), "y"])
    np.savetxt(path, np.column_stack([X, y]), delimiter=",", header=header, comments="")
    return path


def exact(table: Path, block_size: int | None = None) -> Array:
    """The plain loop in float64 on the same numbers."""
    data = np.loadtxt(table, delimiter=",", skiprows=1, dtype=np.float32).astype(float)
    result = learnrate.sweep(
        *(data[:, :D], data[:, D]),
        lrs=[0.01, 0.1, 0.3],
        batch_size=7,
        epochs=3,
        engine="reference",
        standardize=False,
        memory=learnrate.OutOfCore(block_size=block_size) if block_size else None,
    )
    return result.losses


@pytest.mark.parametrize(
    "width",
    [
        pytest.param(16, marks=pytest.mark.slow),
        32,
        pytest.param(64, marks=pytest.mark.slow),
    ],
)
def test_every_way_in_has_the_curves_of_float64(width: int, table: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(table), str(tmp_path)],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "LEARNRATE_VECTOR_BYTES": str(width),
        },
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads((tmp_path / "said.json").read_text())
    plain, in_blocks = exact(table), exact(table, block_size=100)
    for name, losses in said.items():
        expected = in_blocks if name == "out of core" else plain
        np.testing.assert_allclose(losses, expected, rtol=1e-4, err_msg=name)
    curves = np.genfromtxt(
        tmp_path / "curves.csv", delimiter=",", names=True, dtype=None, encoding=None
    )
    np.testing.assert_allclose(curves["loss"].reshape(3, 4), plain[0], rtol=1e-4)
