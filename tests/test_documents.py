"""Every snippet that a reader can copy runs: docstrings, both READMEs, the pages in docs/."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import learnrate

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
MODULES = sorted(
    info.name
    for info in pkgutil.walk_packages(learnrate.__path__, "learnrate.")
    if not info.name.endswith("__main__")
)


# The table that the pages call houses.csv, for a reader who has one.
HOUSES = "area,street,price\n" + "".join(
    f"{50 + 7 * i % 200},{'ABC'[i % 3]},{150 + 21 * i % 600 + 10 * (i % 3)}\n" for i in range(120)
)

# The script that the pages call note.py.
NOTE = ROOT / "tests" / "compat" / "scripts" / "note.py"


@pytest.mark.parametrize("name", ["learnrate", *MODULES])
def test_docstrings(name: str) -> None:
    failed, _ = doctest.testmod(importlib.import_module(name))
    assert failed == 0


def blocks(page: Path, language: str) -> list[str]:
    """Fenced code of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_python_snippets(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Python blocks of a page run one after the other, as a reader would type them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    names: dict[str, object] = {"__name__": "page"}
    for block in blocks(page, "python"):
        exec(compile(block, str(page), "exec"), names)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
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
    (tmp_path / "houses.csv").write_text(HOUSES)
    (tmp_path / "note.py").write_text(NOTE.read_text(encoding="utf-8"), encoding="utf-8")
    environment = {
        "PATH": f"{command.parent}:/usr/bin:/bin",
        "PYTHONPATH": str(ROOT / "src"),
        "LANG": "C.UTF-8",
        "HOME": str(tmp_path),
        "MPLBACKEND": "agg",
    }
    for line in commands:
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=tmp_path,
            env=environment,
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


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_the_readme_shows_what_the_main_job_prints(page: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "learnrate", "sweep", "--save", "sweep.png"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT / "src"), "LANG": "C.UTF-8", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    printed = "\n".join(line.rstrip() for line in done.stdout.splitlines())
    assert blocks(ROOT / page, "text")[0].strip() == printed.strip()


def test_both_readmes_show_the_same_code() -> None:
    english, chinese = ROOT / "README.md", ROOT / "README.zh-CN.md"
    for language in ("python", "console"):
        ours, theirs = (
            [
                "\n".join(line.split("#")[0].rstrip() for line in block.splitlines())
                for block in blocks(page, language)
            ]
            for page in (english, chinese)
        )
        assert ours == theirs
