"""What differs between machines, and must not make a difference: each a setting of the process."""

from __future__ import annotations

import json
import locale
import os
import subprocess
import sys
from functools import cache
from typing import Any

import pytest

COMMAND = [
    "sweep",
    "houses",
    "--target",
    "price",
    "--missing",
    "mean",
    "--lrs",
    "0.01,0.1,9",
    "--epochs",
    "2",
    "--val",
    "0.2",
]


def run(*arguments: str, **settings: str | None) -> str:
    """What a command prints with these environment variables; None takes one away."""
    known = {**os.environ, "PYTHONUTF8": None, **settings}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "learnrate", *COMMAND, *arguments],
        capture_output=True,
        env={name: value for name, value in known.items() if value is not None},
        encoding="utf-8",
        errors="replace",
        stdin=subprocess.DEVNULL,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


def numbers(**settings: str | None) -> dict[str, Any]:
    """All that a sweep finds, but why its engine was chosen: that depends on what has been compiled before."""
    found: dict[str, Any] = json.loads(run("--json", **settings))
    del found["engine"]["reason"]
    return found


@cache
def expected() -> dict[str, Any]:
    return numbers()


def installed(name: str) -> bool:
    before = locale.setlocale(locale.LC_ALL)
    try:
        locale.setlocale(locale.LC_ALL, name)
    except locale.Error:
        return False
    finally:
        locale.setlocale(locale.LC_ALL, before)
    return True


LOCALES = [name for name in ("zh_CN.UTF-8", "de_DE.UTF-8", "tr_TR.UTF-8") if installed(name)]
SETTINGS: list[dict[str, str | None]] = [
    {"LC_ALL": "C"},
    {"LC_ALL": "POSIX", "LANG": "", "PYTHONIOENCODING": "utf-8"},
    {"PYTHONHASHSEED": "0"},
    {"PYTHONHASHSEED": "4294967295"},
    {"OMP_NUM_THREADS": None, "OPENBLAS_NUM_THREADS": None},
    {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    {"TZ": "Pacific/Apia"},
    {"TZ": "nowhere"},
    {"HOME": os.devnull, "XDG_CACHE_HOME": None, "MPLCONFIGDIR": None},
]
SETTINGS += [{"LC_ALL": name} for name in LOCALES]


@pytest.mark.slow
@pytest.mark.parametrize("settings", SETTINGS, ids=lambda settings: " ".join(map(str, settings)))
def test_the_numbers_are_the_same(settings: dict[str, str | None]) -> None:
    assert numbers(**settings) == expected()


def test_all_of_them_at_once() -> None:
    everything: dict[str, str | None] = {}
    for settings in (SETTINGS[0], *SETTINGS[5:8]):
        everything |= settings
    assert numbers(**everything) == expected()


@pytest.mark.slow
def test_a_terminal_without_unicode_gets_its_text() -> None:
    said = run(PYTHONIOENCODING="ascii", LC_ALL="C")
    assert "Suggested learning rate" in said
    assert "?" in said
    assert numbers(PYTHONIOENCODING="ascii", LC_ALL="C") == expected()


@pytest.mark.slow
@pytest.mark.parametrize("columns", ["40", "200", None])
def test_any_width_of_the_terminal(columns: str | None) -> None:
    lines = run(COLUMNS=columns).splitlines()
    assert [line.split()[0] for line in lines if line.strip().startswith(("0.01 ", "0.1 ", "9 "))][
        :3
    ] == ["0.01", "0.1", "9"]
    assert max(map(len, lines)) <= int(columns or 100)
