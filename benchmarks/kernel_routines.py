"""What each hand-written routine of the compiled kernels buys: its cases again with a plain Numba loop in its place.

From the repository's root, in some ten minutes of processor time::

    python -m benchmarks.kernel_routines                   # measure, and put the table into docs/engines*.md
    python -m benchmarks.kernel_routines 64-float32        # some of its columns, which may go side by side
    python -m benchmarks.kernel_routines --draw            # the table again, nothing measured

Every routine of `learnrate.linear.kernels.vectors` is replaced, one at a time, by a loop that Numba compiles as it
sees fit (`prefetch` by nothing), in a process of its own whose kernels are compiled anew. The fused engine then
trains the cases of ``benchmarks/engines/cases.py`` that the routine serves, in turns with the engine as it is. Of five
turns the least processor time counts. Vectors of 64 and of 32 bytes; where the processor's registers are narrower,
LLVM splits them. A routine that buys less than a third on each of its cases should go.
"""

# mypy: disable-error-code="untyped-decorator, no-any-return"

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.engines.cases import CASES
from benchmarks.engines.machine import ONE_THREAD
from benchmarks.pages import DOCS, put, where_and_when

SERVED = {
    "lane_product": ("M64", "W64"),
    "row_product": ("M4", "M64"),
    "descend": ("M64", "M1k"),
    "centre": ("M4", "W64"),
    "prefetch": ("M4", "L"),
}
"""Each routine, and the cases where it should tell."""

COLUMNS = ("64-float32", "64-float64", "32-float32", "32-float64")
FILE = Path(__file__).parent / "results" / "kernel_routines.json"
TURNS, ENOUGH = 5, 0.02


def plain_loops() -> dict[str, Callable[..., Any]]:
    """What stands in for each routine, with its arguments."""
    import numba

    from learnrate.linear.kernels.vectors import LANE_BYTES, ROW_BYTES, TILE

    compiled: Any = numba.njit(error_model="numpy")

    def product(size: int) -> Callable[..., Any]:
        @compiled
        def loop(
            out: Any,
            o: int,
            kept: float,
            A: Any,
            X: Any,
            length: int,
            a: int,
            row: int,
            term: int,
            x: int,
            terms: int,
            a_2: int,
            row_2: int,
            term_2: int,
            x_2: int,
            terms_2: int,
        ) -> None:
            kept = out.dtype.type(kept)
            for i in range(TILE):
                at = o + i * length
                for v in range(size // out.itemsize):
                    total = out.dtype.type(0)
                    for t in range(terms):
                        total += A[a + i * row + t * term] * X[x + t * length + v]
                    for t in range(terms_2):
                        total += A[a_2 + i * row_2 + t * term_2] * X[x_2 + t * length + v]
                    out[at + v] = total if kept == 0 else total + kept * out[at + v]

        return loop

    @compiled
    def descend(delta: Any, at: int, eta: Any, lane: int, scale: Any, change: Any, k: int) -> None:
        for v in range(LANE_BYTES // delta.itemsize):
            delta[at + v] -= scale * eta[lane + v] * change[k + v]

    @compiled
    def centre(X: Any, x: int, shift: Any, fit: Any, Z: Any, z: int, count: int) -> Any:
        step = ROW_BYTES // Z.itemsize
        whole, known = count // step * step, Z.dtype.type(0)
        for j in range(whole):
            number = X[x + j] - shift[j]
            Z[z + j] = number
            known += number * fit[j]
        for j in range(whole, count):
            number = X[x + j] - shift[j]
            Z[z + j] = number
            known += number * fit[j + (-count) % step]
        return known

    @compiled
    def prefetch(array: Any, index: int) -> None:
        pass

    return {
        "lane_product": product(LANE_BYTES),
        "row_product": product(ROW_BYTES),
        "descend": descend,
        "centre": centre,
        "prefetch": prefetch,
    }


def train(replaced: str, dtype: str) -> None:
    """In a process of its own: for every case that is named on a line, the least seconds of some trainings."""
    from learnrate.linear.kernels import vectors

    if replaced:
        setattr(vectors, replaced, plain_loops()[replaced])
    from learnrate.linear.fused import FusedEngine
    from learnrate.linear.problem import LinearProblem

    problems: dict[str, LinearProblem] = {}

    def once(problem: LinearProblem) -> float:
        began = time.process_time()
        for _ in FusedEngine().states(problem):
            pass
        return time.process_time() - began

    for line in sys.stdin:
        name = line.strip()
        if name not in problems:
            problems.clear()
            X, y = (a.astype(dtype) for a in CASES[name].examples())
            case = CASES[name]
            problems[name] = LinearProblem(X, y, case.lrs, case.batch_size, case.epochs)
            once(problems[name])
        spent = [once(problems[name])]
        spent += [once(problems[name]) for _ in range(int(ENOUGH / spent[0]))]
        print(min(spent), flush=True)


def child(folder: str, width: str, replaced: str, dtype: str) -> subprocess.Popen[str]:
    """Such a process, with kernels of its own."""
    environment = {
        **os.environ,
        **ONE_THREAD,
        "LEARNRATE_VECTOR_BYTES": width,
        "NUMBA_CACHE_DIR": f"{folder}/{width}{replaced}",
    }
    command = [sys.executable, "-m", "benchmarks.kernel_routines", "--child", replaced, dtype]
    return subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def ask(process: subprocess.Popen[str], case: str) -> float:
    """Seconds of a case in such a process."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{case}\n")
    process.stdin.flush()
    return float(process.stdout.readline())


def compare(folder: str, column: str, routine: str) -> dict[str, float]:
    """How many times as long each case takes without the routine."""
    width, dtype = column.split("-")
    pair = [child(folder, width, name, dtype) for name in ("", routine)]
    answer = {}
    for case in SERVED[routine]:
        turns = np.array([[ask(process, case) for process in pair] for _ in range(TURNS)])
        kept, plain = turns.min(axis=0)
        answer[case] = float(plain / kept)
    for process in pair:
        process.communicate()
    return answer


def measure(column: str) -> dict[str, Any]:
    """A column, with where and when it was measured."""
    with tempfile.TemporaryDirectory() as folder:
        found = {routine: compare(folder, column, routine) for routine in SERVED}
    return {"where": where_and_when(), "ratios": found}


def results() -> dict[str, Any]:
    """What has been measured so far, by column."""
    kept: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    return kept


def table(words: tuple[str, str, str]) -> str:
    """Rows of routines and cases, columns of widths and types."""
    kept = results()
    columns = [column for column in COLUMNS if column in kept]
    titles = [column.replace("-", f" {words[2]}, ") for column in columns]
    lines = [[*words[:2], *titles], ["---", "---", *["---:"] * len(columns)]]
    for routine, cases in SERVED.items():
        for case in cases:
            ratios = (kept[column]["ratios"][routine][case] for column in columns)
            lines.append([f"`{routine}`", case, *(f"{ratio:.2f}×" for ratio in ratios)])
    where = "; ".join(dict.fromkeys(kept[column]["where"] for column in columns))
    return "".join(f"| {' | '.join(line)} |\n" for line in lines) + f"\n{where}\n"


def main() -> None:
    """Measure what is asked for, and put the table into the pages."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("columns", nargs="*", help=f"which of {', '.join(COLUMNS)}; all by default")
    parser.add_argument("--draw", action="store_true", help="measure nothing")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if unknown := set(given.columns) - set(COLUMNS):
        parser.error(f"columns are {', '.join(COLUMNS)}. Got {', '.join(unknown)} instead.")
    if given.child:
        train(*given.child)
        return
    for column in () if given.draw else given.columns or COLUMNS:
        found = measure(column)
        FILE.write_text(json.dumps({**results(), column: found}, indent=1) + "\n", encoding="utf-8")
    put(DOCS / "engines.md", "routines", table(("routine", "case", "bytes")))
    put(DOCS / "engines.zh-CN.md", "routines", table(("例程", "工作量", "字节")))
    print(table(("routine", "case", "bytes")))


if __name__ == "__main__":
    main()
