"""The house keeps its shape: imports point one way, and importing learnrate loads nothing heavy."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import learnrate

SOURCE = Path(__file__).parent.parent / "src" / "learnrate"

# Rank of each room or top-level file. A file imports only from lower ranks or from its own room.
RANKS = {
    "errors": 0,
    "version": 0,
    "_extras": 0.5,  # they raise errors' classes
    "_files": 0.5,
    "_lines": 0,
    "_missing": 0.5,
    "_memory": 0,
    "_shapes": 0,
    "_templates": 0,
    "_translation": 0.5,
    "autograd": 1,
    "nd": 2,
    "scratch": 3,
    "data": 3,
    "theory": 3,
    "training": 4,
    "report": 4,
    "linear": 5,
    "cluster": 6,
    "sweeps": 7,
    "sklearn": 8,
    "torch": 8,
    "book": 8,
    "compat": 8,
    "cli": 9,
    "lightning": 9,
    "skorch": 9,
    "transformers": 9,
    "__init__": 10,
    "__main__": 10,
}

PUBLIC = {"__init__", *learnrate.__all__}
NOTE = SOURCE / "book" / "note"

# What may be installed and must not be loaded by `import learnrate`.
HEAVY = ["matplotlib", "numba", "polars", "pandas", "pyarrow", "scipy", "torch", "ray", "plotly"]
HEAVY += [
    "jinja2",
    "marimo",
    "rich",
    "typer",
    "IPython",
    "sklearn",
    "lightning",
    "transformers",
    "skorch",
]


def room(path: Path) -> str:
    """The top-level file or folder that a source file belongs to."""
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imported_modules(path: Path) -> Iterator[tuple[str, int]]:
    """Modules of learnrate that a file names, with the line: imported anywhere in it, or written as a string."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relatively"
            inside = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name in MODULES else str(node.module) for name in inside]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names = [node.value] if "." in node.value and node.value in MODULES else []
        for name in names:
            if name.split(".")[0] == "learnrate":
                yield name, getattr(node, "lineno", 0)


def imported_rooms(path: Path) -> Iterator[tuple[str, int]]:
    """Rooms of learnrate that a file names, with the line."""
    for name, line in imported_modules(path):
        parts = name.split(".")
        yield (parts[1] if len(parts) > 1 else "__init__"), line


def module_name(path: Path) -> str:
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = sorted(SOURCE.rglob("*.py"))
MODULES = {module_name(path): path for path in SOURCES}


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_imports_point_to_lower_ranks(path: Path) -> None:
    here = room(path)
    assert here in RANKS, f"give {here!r} a rank here and in CONTRIBUTING.md"
    for there, line in imported_rooms(path):
        if NOTE in path.parents and there in PUBLIC:
            continue  # the note is written with learnrate as any user would
        assert there == here or RANKS[there] < RANKS[here], (
            f"{path.relative_to(SOURCE)}:{line} (rank {RANKS[here]}) imports "
            f"learnrate.{there} (rank {RANKS[there]})"
        )


def test_no_files_import_one_another_in_a_circle() -> None:
    """Also not where an import waits inside a function, under TYPE_CHECKING or in a string."""
    graph = {
        name: {
            there
            for there, _ in imported_modules(path)
            if there in MODULES and there not in (name, "learnrate")
        }
        for name, path in MODULES.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


@pytest.mark.parametrize("path", sorted(NOTE.rglob("*.py")), ids=lambda p: str(p.relative_to(NOTE)))
def test_the_note_uses_public_names_only(path: Path) -> None:
    tools = (
        {"book"}
        if path.name == "notebook.py"
        else {"book", "_extras", "_files", "_templates", "_translation"}
    )
    assert {there for there, _ in imported_rooms(path)} <= PUBLIC | tools


UNCHECKED = {
    "learnrate.torch": "beartype draws from Python's random numbers, which belong to a training",
    "learnrate.training.losses": "beartype refuses Self outside of a class that it decorates",
    "learnrate.sklearn": "beartype refuses Self outside of a class that it decorates",
    "learnrate.sweeps.front": "a protocol that cannot be checked at run time",
    "learnrate.sweeps.linear_task": "a protocol that cannot be checked at run time",
    "learnrate.sweeps.findings": "it is given what a user gives, of any type",
    "learnrate.sweeps.measured": "it is given what a user gives, of any type",
    "learnrate.sweeps.rates": "it is given what a user gives, of any type",
    "learnrate.training.monitor": "it is given what a user gives, of any type",
    "learnrate._shapes": "it defines them",
}
"""Files with shapes in their annotations that are not checked while tests run, and why."""


def test_shapes_are_checked_wherever_they_are_written(pytestconfig: pytest.Config) -> None:
    [listed] = [a for a in pytestconfig.getini("addopts") if a.startswith("--jaxtyping-packages")]
    checked = listed.partition("=")[2].split(",")
    assert set(checked) - {"beartype.beartype"} <= {*MODULES, *(f"learnrate.{r}" for r in RANKS)}
    shaped = [
        name
        for name, path in MODULES.items()
        if re.search(r"\b(Float|Int|Bool)\[", path.read_text(encoding="utf-8"))
    ]
    assert not [name for name in shaped if not name.startswith((*checked, *UNCHECKED))]


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
    """At most 400 lines; a file of 300 has a second job already, more often than not."""
    long = {
        str(path.relative_to(SOURCE)): count
        for path in SOURCES
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert not long
