"""The version is in one place, and what SECURITY.md says of the sources holds."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import learnrate

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "src" / "learnrate").rglob("*.py"))

NETWORK = {"socket", "urllib", "http", "requests", "httpx", "aiohttp", "ftplib", "smtplib"}
PICKLES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}


def test_the_citation_has_the_version() -> None:
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.findall(r"^version: (.+)$", citation, re.M) == [learnrate.__version__]


def test_python_is_declared_as_far_as_it_is_tested() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    declared = re.findall(r'Python :: (3\.\d+)"', project)
    assert f'requires-python = ">={declared[0]}"' in project
    run = re.search(r"for version in (.*); do", (ROOT / ".ci" / "run").read_text(encoding="utf-8"))
    assert run is not None
    assert declared[1:] == run[1].split()


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT / "src")))
def test_no_pickle_is_loaded_and_nothing_reaches_for_the_network(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported = {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported = {str(node.module).partition(".")[0]}
        else:
            imported = set()
        # The room cluster is there to be reached, and its driver reads what its own parent process writes.
        assert not imported & PICKLES or path.name == "driver.py"
        assert not imported & NETWORK or path.parent.name == "cluster"
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("np.load", "torch.load"):
            safe = {"np.load": "allow_pickle=False", "torch.load": "weights_only=True"}
            assert safe[ast.unparse(node.func)] in ast.unparse(node)
