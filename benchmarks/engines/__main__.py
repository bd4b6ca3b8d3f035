"""learnrate's engines beside their peers: one command, one run, one thread each.

From the repository's root, in the environment that ``benchmarks/requirements/engines.txt`` describes::

    ENV/bin/python -m benchmarks.engines --fresh --mxnet MXNET/bin/python   # all, about ten minutes
    ENV/bin/python -m benchmarks.engines                     # what is missing after an interruption
    ENV/bin/python -m benchmarks.engines --rounds 15 M4 L    # more rounds of some parts
    ENV/bin/python -m benchmarks.engines --draw              # tables and chart again, nothing measured
    ENV/bin/python -m benchmarks.engines --profile M4        # where a public call spends its time
    python -m benchmarks.engines --quick                     # a smoke test: tiny, no peers, nothing kept

Parts are the cases, ``threads`` and ``cold``. Each is measured in a process of its own, cases on one core.
Rounds are kept in ``benchmarks/results/engines.json``; a part that has enough of them is not measured again.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import pstats
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.engines import chart, tables
from benchmarks.engines.cases import CASES, QUICK, QUICK_CLASSES, Case
from benchmarks.engines.machine import ONE_THREAD, pin
from benchmarks.engines.results import Results
from benchmarks.engines.words import ENGLISH, PAGES
from benchmarks.pages import DOCS

PARTS = [*CASES, "threads", "cold"]


def main(arguments: list[str] | None = None) -> None:
    """Measure what is missing, then write the tables and the chart."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", help=f"which of {', '.join(PARTS)}; all by default")
    parser.add_argument("--rounds", type=int, default=7, help="rounds that a part should have (7)")
    parser.add_argument("--fresh", action="store_true", help="forget earlier rounds of these parts")
    parser.add_argument("--mxnet", metavar="PYTHON", help="the interpreter that has MXNet")
    parser.add_argument("--draw", action="store_true", help="measure nothing")
    parser.add_argument("--quick", action="store_true", help="try the script out")
    parser.add_argument("--profile", choices=CASES, help="profile a public call of a case")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if unknown := set(given.parts) - set(PARTS):
        parser.error(f"parts must be of {', '.join(PARTS)}. Got {', '.join(unknown)} instead.")
    if given.child and given.profile:
        profile(CASES[given.profile])
    elif given.child:
        child(given.parts[0], given.rounds, given.mxnet)
    elif given.profile:
        print(in_its_own_process(["--profile", given.profile]))
    elif given.quick:
        quick()
    else:
        if not given.draw:
            measure(given.parts or PARTS, given.rounds, given.fresh, given.mxnet)
        publish(Results(), DOCS)


def measure(parts: list[str], rounds: int, fresh: bool, mxnet: str | None) -> None:
    """Bring every part to so many rounds, each in a process of its own."""
    results = Results()
    if fresh:
        results.forget(parts)
    for part in parts:
        missing = rounds - results.rounds(part)
        if missing <= 0:
            print(f"{part}: {results.rounds(part)} rounds are there", flush=True)
            continue
        began = time.perf_counter()
        options = [part, "--rounds", str(missing), *(["--mxnet", mxnet] if mxnet else [])]
        printed = in_its_own_process(options, one_thread=part != "cold")
        answer = json.loads(printed.splitlines()[-1])
        results.add(part, answer)
        absent = "; ".join(f"no {name}: {why}" for name, why in answer["absent"].items())
        print(
            f"{part}: {missing} rounds in {time.perf_counter() - began:.0f} s {absent}", flush=True
        )


def in_its_own_process(options: list[str], one_thread: bool = True) -> str:
    """Run this script again; what limits the libraries' threads is there before any is imported."""
    command = [sys.executable, "-m", "benchmarks.engines", "--child", *options]
    environment = {**os.environ, **(ONE_THREAD if one_thread else {})}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout


def child(part: str, rounds: int, mxnet: str | None) -> None:
    """Measure one part here, a case on one core, and print the answer."""
    if part in CASES:
        pin()
    from benchmarks.engines.rounds import measure

    print(json.dumps(measure(part, rounds, mxnet=mxnet)))


def publish(results: Results, docs: Path) -> None:
    """Print the bars, and write the tables and the chart."""
    print(tables.bars(results, ENGLISH), tables.other_bars(results, ENGLISH), sep="\n")
    tables.write(results, docs)
    chart.write(results, docs)


def quick() -> None:
    """Tiny cases, two rounds, no peers; the pages are written into a folder that is thrown away."""
    from benchmarks.engines.rounds import measure

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for page in PAGES:
            (folder / page).write_text((DOCS / page).read_text(encoding="utf-8"), encoding="utf-8")
        results = Results(folder / "engines.json")
        for case in (QUICK, QUICK_CLASSES):
            results.add(case.name, measure(case.name, 2, with_peers=False))
        publish(Results(folder / "engines.json"), folder)
        print(tables.times(results, ENGLISH))


def profile(case: Case) -> None:
    """Print the 15 functions in which warm public calls in float32 spend their time, of the processor."""
    pin()
    from benchmarks.engines.ours import sweep

    X, y = case.examples()
    X, y = X.astype(np.float32), y if case.classes else y.astype(np.float32)
    lrs, options = case.lrs, {"engine": "fused", "dtype": "float32"}
    began = time.perf_counter()
    for _ in range(2):
        began = time.perf_counter()
        sweep(case, X, y, lrs, **options)
    calls = max(1, int(1 / (time.perf_counter() - began)))
    with cProfile.Profile(time.process_time) as profiler:
        for _ in range(calls):
            sweep(case, X, y, lrs, **options)
    print(f"{case.name}, {calls} calls")
    pstats.Stats(profiler).strip_dirs().sort_stats("tottime").print_stats(15)


if __name__ == "__main__":
    main()
