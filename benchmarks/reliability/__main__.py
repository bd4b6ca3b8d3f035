"""Everything behind docs/reliability.md, in parts that can be done one at a time.

From the repository's root::

    python -m benchmarks.reliability                # all parts; about half an hour
    python -m benchmarks.reliability sizes faults   # some
    python -m benchmarks.reliability --draw         # the pages alone, from what was measured last
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.pages import DOCS, put, where_and_when
from benchmarks.reliability import faults, fuzz, sizes

RESULTS = Path(__file__).parents[1] / "results" / "reliability.json"
CASES = 20_000


def measure_fuzz() -> dict[str, Any]:
    """See `benchmarks.reliability.fuzz`."""
    return fuzz.run(0, CASES)


def measure_faults() -> list[dict[str, Any]]:
    """See `benchmarks.reliability.faults`; what was said is left out, for it names folders."""
    with tempfile.TemporaryDirectory() as folder:
        return [
            {"fault": trial.fault, "held": trial.held} for trial in faults.all_trials(Path(folder))
        ]


def measure_sizes() -> list[dict[str, Any]]:
    """See `benchmarks.reliability.sizes`."""
    return list(sizes.all_sizes())


PARTS: dict[str, Callable[[], Any]] = {
    "fuzz": measure_fuzz,
    "faults": measure_faults,
    "sizes": measure_sizes,
}


def tables(results: dict[str, Any]) -> dict[str, str]:
    """The pages' tables, by the names of their markers."""
    made = {}
    if "fuzz" in results:
        kinds = results["fuzz"]["figures"]["by kind"]
        rows = [
            "| input | cases | a result | one clear line | a fault |",
            "| --- |" + " ---: |" * 4,
        ]
        for kind, ends in kinds.items():
            counts = (ends["result"], ends["one line"], ends["fault"])
            rows.append(_row(kind, sum(counts), *counts))
        every = [
            sum(ends[end] for ends in kinds.values()) for end in ("result", "one line", "fault")
        ]
        rows.append(_row("all", sum(every), *every))
        made["fuzz"] = _with_note(rows, results["fuzz"])
    if "faults" in results:
        rows = ["| fault | ended as it must |", "| --- | --- |"]
        rows += [
            f"| {one['fault']} | {'yes' if one['held'] else '**no**'} |"
            for one in results["faults"]["figures"]
        ]
        made["faults"] = _with_note(rows, results["faults"])
    if "sizes" in results:
        rows = ["| size | engine | seconds | peak memory | |", "| --- | --- | ---: | ---: | --- |"]
        rows += [
            f"| {one['size']} | {one['engine']} | {one['seconds']:.1f} | {one['peak MB']:,.0f} MB | {one['rate']} |"
            for one in results["sizes"]["figures"]
        ]
        made["sizes"] = _with_note(rows, results["sizes"])
    return made


def _row(kind: str, *counts: int) -> str:
    return f"| {kind} | " + " | ".join(f"{count:,}" for count in counts) + " |"


def _with_note(rows: list[str], result: dict[str, Any]) -> str:
    return "\n".join(rows) + f"\n\n{result['where']}\n"


def main() -> None:
    """Measure what was asked for, keep it, and write the pages."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="all unless given")
    parser.add_argument("--draw", action="store_true", help="measure nothing")
    asked = parser.parse_args()
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for part in () if asked.draw else asked.parts or PARTS:
        figures = PARTS[part]()
        results[part] = {"figures": figures, "where": where_and_when()}
        RESULTS.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    for page in sorted(DOCS.glob("reliability*.md")):
        for name, block in tables(results).items():
            put(page, name, block)


if __name__ == "__main__":
    main()
