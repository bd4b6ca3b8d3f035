"""Every snippet that a reader can copy runs: docstrings, both READMEs, the pages in docs/."""

from __future__ import annotations

import ast
import doctest
import importlib
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import matplotlib
import pytest

import learnrate
from learnrate.linear.kernel_cache import cache_folder

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
MODULES = sorted(
    info.name
    for info in pkgutil.walk_packages(learnrate.__path__, "learnrate.")
    if not info.name.endswith("__main__")
)


def blocks(page: Path, language: str) -> list[str]:
    """Fenced code of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)


def code(page: Path, language: str) -> list[str]:
    """The blocks of one language without comments."""
    if language == "python":
        return [ast.dump(ast.parse(block)) for block in blocks(page, language)]
    lines = [block.splitlines() for block in blocks(page, language)]
    return ["\n".join(line.split("#")[0].rstrip() for line in block) for block in lines]


def pages(language: str) -> list[Any]:
    """Pages to run. Chinese ones whose code is that of the English page need not; the others and trackers, which start servers, are slow."""
    found = []
    for page in PAGES:
        chinese = page.name.endswith(".zh-CN.md")
        english = page.with_name(page.name.replace(".zh-CN.md", ".md"))
        if chinese and english.exists() and code(page, language) == code(english, language):
            continue
        slow = [pytest.mark.slow] * (chinese or page.name == "where-curves-go.md")
        found.append(pytest.param(page, id=str(page.relative_to(ROOT)), marks=slow))
    return found


def environment(home: Path) -> dict[str, str]:
    """A new user's, but fonts are not looked for again, nor kernels compiled again, for each page."""
    found = {
        "PYTHONPATH": str(ROOT / "src"),
        "LANG": "C.UTF-8",
        "HOME": str(home),
        "MPLBACKEND": "agg",
        "MPLCONFIGDIR": matplotlib.get_cachedir(),
    }
    kernels = cache_folder()
    return found if kernels is None else {**found, "NUMBA_CACHE_DIR": str(kernels.parents[2])}


# The script that the pages call note.py.
NOTE = ROOT / "tests" / "compat" / "scripts" / "note.py"


@pytest.mark.parametrize("name", ["learnrate", *MODULES])
def test_docstrings(name: str) -> None:
    failed, _ = doctest.testmod(importlib.import_module(name))
    assert failed == 0


def save_named(page: Path, folder: Path) -> list[str]:
    """Save the Python blocks that begin with the name of a file, as a reader would; the modules' names."""
    found = []
    for block in blocks(page, "python"):
        if named := re.match(r"# (\w+)\.py\n", block):
            (folder / f"{named[1]}.py").write_text(block, encoding="utf-8")
            found.append(named[1])
    return found


@pytest.mark.parametrize("page", pages("python"))
def test_python_snippets(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Python blocks of a page run one after the other, as a reader would type them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    text = page.read_text(encoding="utf-8")
    trackers = [name for name in ("wandb", "mlflow") if f"import {name}\n" in text]
    if trackers:  # which start servers and remember where: in a process of their own
        for tracker in trackers:
            pytest.importorskip(tracker)
        path = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
        settings = {**environment(tmp_path), "PYTHONPATH": path, "WANDB_SILENT": "true"}
        script = "\n".join(blocks(page, "python"))
        subprocess.run([sys.executable, "-c", script], check=True, env=settings, timeout=300)
        return
    monkeypatch.syspath_prepend(tmp_path)
    for name in save_named(page, tmp_path):
        monkeypatch.delitem(sys.modules, name, raising=False)  # another page may have one
    names: dict[str, object] = {"__name__": "page"}
    for block in blocks(page, "python"):
        exec(compile(block, str(page), "exec"), names)


def test_each_snippet_of_the_readme_runs_alone(tmp_path: Path) -> None:
    """Pasted into a new file beside those that the page has saved before."""
    save_named(ROOT / "README.md", tmp_path)
    for number, block in enumerate(blocks(ROOT / "README.md", "python")):
        alone = tmp_path / f"pasted_{number}.py"
        alone.write_text(block, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, str(alone)],
            cwd=tmp_path,
            env=environment(tmp_path),
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, f"{block}\n{done.stderr}"


@pytest.mark.parametrize("page", pages("console"))
def test_commands(page: Path, tmp_path: Path) -> None:
    """Each `learnrate …` line of a console block runs and succeeds, in one folder, in order."""
    commands = [
        line.removeprefix("$ ")
        for block in blocks(page, "console")
        for line in block.splitlines()
        if line.startswith("$ ")
    ]
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "learnrate"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m learnrate "$@"\n')
    command.chmod(0o755)
    (tmp_path / "note.py").write_text(NOTE.read_text(encoding="utf-8"), encoding="utf-8")
    save_named(page, tmp_path)
    settings = {**environment(tmp_path), "PATH": f"{command.parent}:/usr/bin:/bin"}
    for line in commands:
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=tmp_path,
            env=settings,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, f"{line}\n{done.stderr}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_to_files_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize(("page", "lang"), [("README.md", "en"), ("README.zh-CN.md", "zh")])
def test_the_readme_shows_what_the_main_job_prints(page: str, lang: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "learnrate", "sweep", "--save", "sweep.png", "--lang", lang],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=120,
    )
    printed = "\n".join(line.rstrip() for line in done.stdout.splitlines())
    assert blocks(ROOT / page, "text")[0].strip() == printed.strip()


def test_both_readmes_show_the_same_code() -> None:
    english, chinese = ROOT / "README.md", ROOT / "README.zh-CN.md"
    for language in ("python", "console"):
        assert code(english, language) == code(chinese, language)
