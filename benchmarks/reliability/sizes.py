"""Sizes: a million lanes, and a hundred million examples that are never in memory together.

Each size is run in a process of its own, whose greatest use of memory is read from the system (VmHWM, Linux).
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.reliability.faults import ROOT, environment

LANES, EXAMPLES, FEATURES = 10**6, 10**8, 4
_PART = 10**6


def million_lanes() -> dict[str, Any]:
    """The note's examples under 10⁶ rates, every one of them beside a few that are trained alone."""
    import learnrate

    X, y = learnrate.note_data()
    lrs = learnrate.logspace(1e-5, 5.0, LANES)
    began = time.perf_counter()
    result = learnrate.sweep(X, y, lrs=lrs, batch_size=10, epochs=3)
    seconds = time.perf_counter() - began
    some = np.linspace(0, LANES - 1, 7).astype(int)
    alone = learnrate.sweep(X, y, lrs=lrs[some], batch_size=10, epochs=3, engine="reference")
    expected = alone.losses[0]
    readable = expected < 1e280
    np.testing.assert_allclose(
        result.losses[0][some][readable], expected[readable], rtol=1e-9, atol=1e-16
    )
    return {
        "size": f"{LANES:,} lanes of 1,000 × 2, 3 epochs, float64",
        "engine": result.engine,
        "seconds": seconds,
        "rate": f"{LANES * 3000 / seconds / 1e6:,.0f} million steps of examples a second",
    }


def hundred_million_examples(folder: Path, examples: int = EXAMPLES) -> dict[str, Any]:
    """A generated Parquet table in parts, swept with a budget of 500 MB."""
    import polars as pl

    import learnrate

    rng = np.random.default_rng(0)
    w = np.arange(1.0, FEATURES + 1)
    for part in range(-(-examples // _PART)):
        X = rng.standard_normal((_PART, FEATURES), dtype=np.float32)
        y = X @ w.astype(np.float32) + 4.2 + rng.standard_normal(_PART, dtype=np.float32)
        frame = pl.DataFrame({f"x{j}": X[:, j] for j in range(FEATURES)} | {"y": y})
        frame.write_parquet(folder / f"part-{part:04d}.parquet", compression="uncompressed")
    took = {}
    for name in ("with the cache to be built", "from the cache"):
        began = time.perf_counter()
        result = learnrate.sweep(
            str(folder / "*.parquet"),
            target="y",
            lrs=learnrate.logspace(1e-3, 0.1, 16),
            batch_size=64,
            epochs=1,
            dtype="float32",
            memory=learnrate.OutOfCore("500MB", cache=folder / "cache"),
        )
        took[name] = time.perf_counter() - began
    found = result.W[0, 8]
    assert np.abs(found - w).max() < 0.05, found
    return {
        "size": f"{examples:,} × {FEATURES}, 16 rates, 1 epoch, B = 64, float32, budget 500 MB",
        "engine": result.engine,
        "seconds": took["from the cache"],
        "rate": f"{took['with the cache to be built']:,.0f} s with the cache to be built; from it "
        f"{examples / took['from the cache'] / 1e6:.1f} million examples a second",
    }


def measured(name: str, *, examples: int = EXAMPLES) -> dict[str, Any]:
    """One of them in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.reliability.sizes", name, str(examples)],
        capture_output=True, text=True, cwd=ROOT, env=environment(), check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def all_sizes() -> Iterator[dict[str, Any]]:
    """Both."""
    yield measured("lanes")
    yield measured("examples")


def main() -> None:
    """Run one and print it as a line of JSON."""
    name, examples = sys.argv[1], int(sys.argv[2])
    if name == "lanes":
        facts = million_lanes()
    else:
        with tempfile.TemporaryDirectory() as folder:
            facts = hundred_million_examples(Path(folder), examples)
    status = Path("/proc/self/status").read_text()
    peak = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert peak is not None
    print(json.dumps({**facts, "peak MB": int(peak[1]) / 1000}))


if __name__ == "__main__":
    main()
