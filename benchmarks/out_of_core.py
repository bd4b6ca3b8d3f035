"""A table five times the memory budget: peak memory, and throughput against training in memory.

    python benchmarks/out_of_core.py [--rows 3000000] [--features 20] [--memory 100MB] [--rates 16]

Writes a Parquet table into a temporary folder, prepares it once (timed), then trains from its cache twice, each
time in a process of its own, and in memory with the same block size. Each process says its own peak memory
(resident set). The disk cache is warm. Throughput counts the training of all epochs, not the preparation.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

_CHILD = """
import json, resource, sys, time
import learnrate
options = json.loads(sys.argv[1])
blocks = [options.pop(name, None) for name in ("memory", "block_size", "cache")]
options["memory"] = learnrate.OutOfCore(*blocks)
began = time.perf_counter()
result = learnrate.sweep(**options)
seconds = time.perf_counter() - began
try:  # the greatest resident set of this program; getrusage counts that of its parent too
    with open("/proc/self/status") as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) * 1024
except OSError:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peak *= 1 if sys.platform == "darwin" else 1024
print(json.dumps({"peak": peak, "seconds": seconds, "training": result.seconds,
    "losses": result.losses.ravel().tolist(), "block": result.config.block_size, "engine": result.engine}))
"""


def write_table(path: Path, rows: int, features: int) -> None:
    """Rows of ``y = X·w + noise``, a row group at a time."""
    import numpy as np
    import pyarrow as pa
    from pyarrow import parquet

    rng = np.random.default_rng(0)
    weights = rng.standard_normal(features)
    names = [f"x{j}" for j in range(features)]
    schema = pa.schema([(name, pa.float64()) for name in [*names, "y"]])
    with parquet.ParquetWriter(path, schema, compression="none", use_dictionary=False) as writer:
        for first in range(0, rows, 100_000):
            count = min(100_000, rows - first)
            X = rng.standard_normal((count, features))
            y = X @ weights + rng.standard_normal(count)
            columns = [pa.array(column) for column in (*X.T, y)]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))


def measure(**options: Any) -> dict[str, Any]:
    """Run a sweep in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, json.dumps(options)],
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=3_000_000)
    parser.add_argument("--features", type=int, default=20)
    parser.add_argument("--memory", default="100MB")
    parser.add_argument("--rates", type=int, default=16)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--engine", default="fused")
    parser.add_argument(
        "--folder", help="Where the table and its cache go; a temporary folder unless given."
    )
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        folder = Path(name)
        table = folder / "table.parquet"
        write_table(table, asked.rows, asked.features)
        size = asked.rows * (asked.features + 1) * 8
        print(
            f"{asked.rows:,} rows of {asked.features} features: {size / 1e6:,.0f} MB; budget {asked.memory}"
        )
        common = {
            "data": str(table),
            "target": "y",
            "lrs": [0.001 * 1.2**k for k in range(asked.rates)],
            "batch_size": asked.batch_size,
            "epochs": asked.epochs,
            "engine": asked.engine,
        }
        streamed = {**common, "memory": asked.memory, "cache": str(folder / "cache")}
        _say("preparing and training", first := measure(**streamed), asked)
        runs = [measure(**streamed) for _ in range(3)]
        best = min(runs, key=lambda run: run["training"])
        _say("from the cache", best, asked)
        in_memory = [measure(**common, block_size=first["block"]) for _ in range(3)]
        memory = min(in_memory, key=lambda run: run["training"])
        _say("in memory, same blocks", memory, asked)
        plain = min((measure(**common) for _ in range(3)), key=lambda run: run["training"])
        _say("in memory, no blocks", plain, asked)
        print(
            f"blocks of {first['block']:,} rows; throughput of the cache over memory's: "
            f"{memory['training'] / best['training']:.0%} (same blocks), "
            f"{plain['training'] / best['training']:.0%} (no blocks)"
        )
        apart = max(abs(a / b - 1) for a, b in zip(best["losses"], memory["losses"], strict=True))
        print(f"largest relative difference of the losses, same blocks: {apart:.1e}")


def _say(what: str, run: dict[str, Any], asked: argparse.Namespace) -> None:
    rate = asked.rows * asked.epochs / run["training"]
    print(
        f"{what:24} {run['seconds']:6.2f} s in all, training {run['training']:6.2f} s, "
        f"{rate / 1e6:5.2f} M examples/s, peak {run['peak'] / 1e6:5.0f} MB"
    )


if __name__ == "__main__":
    main()
