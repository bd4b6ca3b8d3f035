"""How long a table takes to become examples: read and prepared, in memory and in blocks, for each format.

    python benchmarks/table_reading.py [--rows 1000000] [--features 20] [--runs 5] [--against OTHER/src]

Each run is a process of its own; with ``--against``, those of another version's sources take turns with these, and
the ratio of the medians is printed. Times are of the call alone, without imports, on the wall and on all processors.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

_CHILD = """
import json, sys, tempfile, time
import polars, pyarrow.csv, pyarrow.parquet
from learnrate.sweeps.examples import examples
path, memory = sys.argv[1], json.loads(sys.argv[2])
with tempfile.TemporaryDirectory() as cache:
    blocks = {} if memory is None else {"memory": memory, "cache": cache}
    wall, cpu = time.perf_counter(), time.process_time()
    prepared = examples(path, target="y", dtype="float32", **blocks)
    print(json.dumps([time.perf_counter() - wall, time.process_time() - cpu, prepared.fingerprint]))
"""

_SOURCES = Path(__file__).parent.parent / "src"


def write_tables(folder: Path, rows: int, features: int) -> list[Path]:
    """The same numbers, six digits each, and one column of words, as CSV, Parquet and JSON lines."""
    import numpy as np
    import polars as pl

    rng = np.random.default_rng(0)
    columns: dict[str, Any] = {f"x{j}": rng.normal(size=rows).round(6) for j in range(features - 2)}
    columns["count"] = rng.integers(0, 1000, rows)
    columns["word"] = np.array(["red", "green", "blue", "grey"])[rng.integers(0, 4, rows)]
    columns["y"] = rng.normal(size=rows).round(6)
    frame = pl.DataFrame(columns)
    paths = [folder / f"table{suffix}" for suffix in (".csv", ".parquet", ".jsonl")]
    frame.write_csv(paths[0])
    frame.write_parquet(paths[1])
    frame.head(rows // 5).write_ndjson(paths[2])  # its text is long
    return paths


def measure(sources: Path, path: Path, memory: int | None) -> tuple[float, float, str]:
    """Seconds on the wall and on all processors, and the fingerprint of the examples."""
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, str(path), json.dumps(memory)],
        env={**os.environ, "PYTHONPATH": str(sources)},
        capture_output=True,
        text=True,
        check=True,
    )
    wall, cpu, fingerprint = json.loads(done.stdout)
    return wall, cpu, fingerprint


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--features", type=int, default=20)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--against", type=Path, help="The src folder of another version.")
    asked = parser.parse_args()
    versions = [_SOURCES, *([asked.against] if asked.against else [])]
    print(f"{asked.rows:,} rows of {asked.features} features; medians of {asked.runs} runs")
    with tempfile.TemporaryDirectory() as folder:
        for path in write_tables(Path(folder), asked.rows, asked.features):
            for memory in (None, 200_000_000):
                runs = [
                    [measure(version, path, memory) for version in versions]
                    for _ in range(asked.runs)
                ]
                median = [
                    [
                        statistics.median(run[v][0] for run in runs),
                        statistics.median(run[v][1] for run in runs),
                    ]
                    for v in range(len(versions))
                ]
                line = f"{path.suffix:9} {'in blocks' if memory else 'in memory'}"
                line += f"  {median[0][0]:6.2f} s wall, {median[0][1]:6.2f} s on processors"
                if asked.against:
                    wall, cpu = (a / b for a, b in zip(*median, strict=True))
                    same = len({run[v][2] for run in runs for v in range(2)}) == 1
                    line += f"; over the other's: {wall:.2f} wall, {cpu:.2f} processors"
                    line += "; same bits" if same else "; OTHER BITS"
                print(line, flush=True)


if __name__ == "__main__":
    main()
