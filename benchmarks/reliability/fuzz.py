"""Bad input by the ten thousand: every case must end in a result or one clear line, in time.

From the repository's root::

    python -m benchmarks.reliability.fuzz --cases 20000

Cases are numbered, and number k is always the same one: ``--only k`` runs it alone and prints it. They run in
processes of their own, since what must not happen includes the end of the process.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.reliability.corrupt import ARGUMENTS, TABLES, mutate, options

PATIENCE = 20  # seconds for one case
PORTION = 500  # cases in one process
ROOT = Path(__file__).parents[2]


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--only", type=int, help="run this one alone and print what it is")
    parser.add_argument("--portion", nargs=2, type=int, help=argparse.SUPPRESS)
    parser.add_argument("--json", type=Path, help="write the counts there too")
    asked = parser.parse_args()
    if asked.only is not None:
        print(json.dumps(run_case(asked.only, verbose=True), indent=1))
    elif asked.portion:
        run_portion(*asked.portion)
    else:
        counts = run(asked.first, asked.cases)
        if asked.json:
            asked.json.write_text(json.dumps(counts, indent=1) + "\n")
        raise SystemExit(1 if counts["faults"] else 0)


def run(first: int, cases: int) -> dict[str, Any]:
    """All cases, in portions; a process that ends early is a fault, and the next one goes on after it."""
    seen: list[dict[str, Any]] = []
    began = time.perf_counter()
    case, end = first, first + cases
    while case < end:
        last = min(case + PORTION, end)
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.reliability.fuzz", "--portion", str(case), str(last)],
            capture_output=True, text=True, cwd=ROOT, timeout=PORTION * PATIENCE, check=False,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONWARNINGS": "error"},
        )  # fmt: skip
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        seen += lines
        case = case + len(lines)
        if case < last:
            end_of = f"the process ended with {done.returncode}: {done.stderr.strip()[-300:]}"
            seen.append({"case": case, "kind": "?", "ended": "fault", "why": end_of})
            case += 1
        print(f"{case - first:,} of {cases:,}", file=sys.stderr)
    faults = [one for one in seen if one["ended"] == "fault"]
    for fault in faults:
        print(f"case {fault['case']} ({fault['kind']}): {fault['why']}")
    kinds = Counter((one["kind"], one["ended"]) for one in seen)
    counts = {
        "cases": len(seen),
        "faults": len(faults),
        "seconds": round(time.perf_counter() - began),
        "by kind": {
            kind: {ended: kinds[kind, ended] for ended in ("result", "one line", "fault")}
            for kind in sorted({kind for kind, _ in kinds})
        },
    }
    print(json.dumps(counts, indent=1))
    return counts


def run_portion(first: int, last: int) -> None:
    """Cases in this process, a line of JSON each."""
    for case in range(first, last):
        print(json.dumps(run_case(case)), flush=True)


def run_case(case: int, *, verbose: bool = False) -> dict[str, Any]:
    """One case: what it was, and whether it ended in a result, in one line, or in a fault."""
    rng = random.Random(case)
    kind = rng.choice([*TABLES, "options", "arguments", "csv", "parquet"])
    # What a table means to a program in Python and on the command line is the same; half go each way.
    signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(PATIENCE)
    try:
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            if kind == "arguments":
                ended, why = _call(rng, verbose)
            else:
                ended, why = _command(rng, kind, verbose)
    except BaseException:
        ended, why = "fault", traceback.format_exc()[-600:]
    finally:
        signal.alarm(0)
    return {
        "case": case,
        "kind": kind,
        "ended": ended,
        "why": why if ended == "fault" or verbose else "",
    }


def _too_long(*_: Any) -> None:
    raise TimeoutError(f"longer than {PATIENCE} seconds")


def _call(rng: random.Random, verbose: bool) -> tuple[str, str]:
    import learnrate
    from learnrate.errors import LearnrateError

    given, named = ARGUMENTS(rng)
    if verbose:
        print(given, named)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            result = learnrate.sweep(*given, **named)
            str(result.suggestion())
    except LearnrateError as error:
        return ("one line" if str(error) and "\n" not in str(error) else "fault"), str(error)
    return "result", ""


def _command(rng: random.Random, kind: str, verbose: bool) -> tuple[str, str]:
    from learnrate.cli.main import main as command

    words = ["sweep"]
    if kind == "options":
        words += options(rng)
        words += (
            [] if "--epochs" in words else ["--epochs", rng.choice(["1", "1", "2", "0", "-1", "x"])]
        )
    else:
        content = mutate(rng, TABLES[kind](rng))
        Path(f"table.{kind}").write_bytes(content)
        target = "2" if kind == "npy" else "y"
        words += [f"table.{kind}", "--target", target, "--epochs", "1"]
        words += ["--lrs", rng.choice(["0.1", "auto"])]
        words += ["--missing", rng.choice(["error", "drop", "mean"])]
        words += options(rng, at_most=1) if rng.random() < 0.3 else []
        if verbose:
            print(content[:2000])
    if verbose:
        print(words)
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            command(words)
        except SystemExit as end:
            code = end.code
    said = err.getvalue()
    if code == 0 and not said:
        return "result", out.getvalue()
    if (
        code == 2
        and said.startswith("learnrate: ")
        and said.count("\n") == 1
        and not out.getvalue()
    ):
        return "one line", said
    return "fault", f"code {code}, on standard error: {said[-500:]!r}"


if __name__ == "__main__":
    main()
