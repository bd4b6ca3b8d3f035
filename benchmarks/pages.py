"""Measured tables go into the pages of docs/ between two markers: ``<!-- table: name -->`` and ``<!-- end -->``."""

from __future__ import annotations

import datetime
import platform
import re
from pathlib import Path

DOCS = Path(__file__).parent.parent / "docs"


def put(page: str, name: str, text: str) -> None:
    """Replace what stands between a table's markers in a page of docs/."""
    path = DOCS / page
    between = rf"(<!-- table: {name} -->\n).*?(<!-- end -->)"
    old = path.read_text(encoding="utf-8")
    new, found = re.subn(between, lambda m: f"{m[1]}{text}\n{m[2]}", old, flags=re.S)
    if found != 1:
        raise SystemExit(
            f"{page} must have one table {name!r} between markers. Got {found} instead."
        )
    path.write_text(new, encoding="utf-8")


def where_and_when() -> str:
    """The processor, Python and date of a measurement."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    models = (line.partition(": ")[2] for line in lines if line.startswith("model name"))
    processor = next(models, platform.processor() or platform.machine())
    return f"{processor}, Python {platform.python_version()}, {datetime.date.today()}"
