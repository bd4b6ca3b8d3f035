"""What the benchmarks put into docs/: tables between markers, and small figures."""

from __future__ import annotations

import datetime
import platform
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent.parent / "docs"
STYLE: Any = {
    "svg.hashsalt": "learnrate",
    "svg.fonttype": "none",  # text stays text: smaller, and set in the reader's font
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "path.simplify_threshold": 0.5,
}


def processor() -> str:
    """The processor's name, with family and model where the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    pairs = (line.partition(":") for line in lines)
    facts = {name.strip(): value.strip() for name, _, value in pairs}
    name = facts.get("model name", platform.machine())
    return f"{name} (family {facts.get('cpu family')}, model {facts.get('model')})"


def where_and_when() -> str:
    """The processor, Python and date of a measurement."""
    return f"{processor()}, Python {platform.python_version()}, {datetime.date.today()}"


def put(page: Path, name: str, block: str) -> None:
    """Replace what stands between a table's markers in a page."""
    between = rf"(<!-- table: {name} -->\n).*?(<!-- end -->)"
    old = page.read_text(encoding="utf-8")
    new = re.sub(between, lambda m: m[1] + block + m[2], old, flags=re.S)
    page.write_text(new, encoding="utf-8")


def print_table(name: str, lines: Iterable[str], page: str) -> None:
    """Print a table line by line, and put it into the page in both languages where ``--update`` was typed."""
    kept = []
    for line in lines:
        print(line, flush=True)
        kept.append(line + "\n")
    if "--update" in sys.argv[1:]:
        for path in DOCS.glob(f"{page}*.md"):
            put(path, name, "".join(kept))


def save_svg(figure: Any, path: Path) -> None:
    """Write a figure so that the same figure gives the same file."""
    figure.savefig(path, metadata={"Date": None})
    # matplotlib leaves blanks at the ends of lines
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(line.rstrip() for line in lines) + "\n", encoding="utf-8")
