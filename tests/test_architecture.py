"""The house keeps its shape: imports point one way, and importing learnrate loads nothing heavy."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import learnrate

SOURCE = Path(__file__).parent.parent / "src" / "learnrate"

# Rank of each room or top-level file. A file imports only from lower ranks or from its own room.
RANKS = {
    "errors": 0,
    "_extras": 0.5,  # they raise errors' classes
    "_files": 0.5,
    "_missing": 0.5,
    "_memory": 0,
    "_shapes": 0,
    "_templates": 0,
    "autograd": 1,
    "nd": 2,
    "scratch": 3,
    "data": 3,
    "theory": 3,
    "engines": 4,
    "report": 4,
    "sweeps": 5,
    "sklearn": 6,
    "torch": 6,
    "steps": 6,
    "note": 6,
    "cluster": 6,
    "compat": 6,
    "cli": 7,
    "__init__": 8,
    "__main__": 8,
}

PUBLIC = {"__init__", *learnrate.__all__}

# What may be installed and must not be loaded by `import learnrate`.
HEAVY = ["matplotlib", "numba", "polars", "pandas", "pyarrow", "scipy", "torch", "ray", "plotly"]
HEAVY += ["jinja2", "marimo", "rich", "typer", "IPython", "sklearn"]


def room(path: Path) -> str:
    """The top-level file or folder that a source file belongs to."""
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imported_rooms(path: Path) -> Iterator[tuple[str, int]]:
    """Rooms of learnrate that a file imports from, anywhere in it, with the line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        line = getattr(node, "lineno", 0)
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{line} imports relatively"
            names = [str(node.module)]
            if node.module == "learnrate":
                names = [f"learnrate.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            names = [str(a.value) for a in node.args if isinstance(a, ast.Constant)]
        for name in names:
            parts = name.split(".")
            if parts[0] == "learnrate":
                yield (parts[1] if len(parts) > 1 else "__init__"), line


SOURCES = sorted(SOURCE.rglob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_imports_point_to_lower_ranks(path: Path) -> None:
    here = room(path)
    assert here in RANKS, f"give {here!r} a rank here and in CONTRIBUTING.md"
    for there, line in imported_rooms(path):
        if there == "__version__" or (here == "note" and there in PUBLIC):
            continue  # the note is written with learnrate as any user would
        assert there == here or RANKS[there] < RANKS[here], (
            f"{path.relative_to(SOURCE)}:{line} (rank {RANKS[here]}) imports "
            f"learnrate.{there} (rank {RANKS[there]})"
        )


@pytest.mark.parametrize("path", sorted((SOURCE / "note").glob("*.py")), ids=lambda p: p.name)
def test_the_note_uses_public_names_only(path: Path) -> None:
    tools = {"note"} if path.name == "notebook.py" else {"note", "_extras", "_files", "_templates"}
    assert {there for there, _ in imported_rooms(path)} <= PUBLIC | tools


def test_every_room_is_ranked_and_every_rank_below_the_top_is_used() -> None:
    assert {room(path) for path in SOURCES} <= set(RANKS)


def test_importing_learnrate_loads_nothing_heavy() -> None:
    code = "import sys, learnrate; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    loaded = done.stdout.split()
    assert "learnrate" in loaded
    assert not set(HEAVY) & set(loaded)


def test_files_are_not_long() -> None:
    """Past about 300 lines, look for the second job."""
    long = {
        str(path.relative_to(SOURCE)): count
        for path in SOURCES
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert not long
