"""What has been measured, in a JSON file: rounds of every part, to be added to or drawn from."""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

from benchmarks.engines.machine import machine

FILE = Path(__file__).parent.parent / "results" / "engines.json"
OURS = ("fused", "gram", "rows", "auto", "least squares", "orders", "copy", "matmul")


class Results:
    """The rounds of every part.

    Parameters
    ----------
    path : Path
        Read if it is there.
    """

    def __init__(self, path: Path = FILE) -> None:
        self.path = path
        self.data: dict[str, Any] = {"machine": machine(), "parts": {}}
        if path.exists():
            self.data = json.loads(path.read_text(encoding="utf-8"))

    @property
    def parts(self) -> dict[str, Any]:
        """What each part's `measure` gave, rounds joined."""
        parts: dict[str, Any] = self.data["parts"]
        return parts

    def rounds(self, part: str) -> int:
        """How many rounds there are of every row of a part."""
        rows = self.parts.get(part, {}).get("seconds", {})
        return min(map(len, rows.values()), default=0)

    def add(self, part: str, answer: dict[str, Any]) -> None:
        """Join a part's rounds to those that are there, and write the file."""
        earlier = self.parts.get(part, {}).get("seconds", {})
        seconds = {row: earlier.get(row, []) + more for row, more in answer["seconds"].items()}
        self.data["machine"] = machine()
        # Why a peer is absent may name a path of this machine.
        kept = {name: value for name, value in answer.items() if name != "absent"}
        self.parts[part] = {**kept, "seconds": {**earlier, **seconds}}
        self._write()

    def forget(self, parts: list[str]) -> None:
        """Drop the rounds of these parts."""
        for part in parts:
            self.parts.pop(part, None)
        self._write()

    def _write(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps(self.data, indent=1) + "\n", encoding="utf-8")

    def median(self, part: str, row: str) -> float | None:
        """Median time of a row; None if it was not measured."""
        seconds = self.parts.get(part, {}).get("seconds", {}).get(row)
        return statistics.median(seconds) if seconds else None

    def ratio(self, part: str, above: str, below: str) -> float | None:
        """The median of one row over that of another; None if either is missing."""
        first, second = self.median(part, above), self.median(part, below)
        return None if first is None or second is None else first / second

    def peers(self, part: str) -> list[str]:
        """The rows of a case that are not learnrate's, the quickest first."""
        rows = [row for row in self.parts[part]["seconds"] if not row.startswith(OURS)]
        return sorted(rows, key=lambda row: self.median(part, row) or 0.0)
