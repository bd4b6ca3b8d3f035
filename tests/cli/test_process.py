"""What only a real process shows: streams, signals, start-up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.interrupting import interrupted_once_saved

COMMAND = [sys.executable, "-m", "learnrate"]
SOURCE = Path(__file__).parents[2] / "src"


@pytest.fixture
def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(SOURCE), "PYTHONWARNINGS": "error"}


def test_csv_on_standard_input(environment: dict[str, str]) -> None:
    table = "a,y\n" + "".join(f"{i % 13},{2 * (i % 13) + 1}\n" for i in range(100))
    done = subprocess.run(
        [*COMMAND, "sweep", "-", "--target", "y", "--lrs", "0.1", "--epochs", "30", "--json"],
        input=table,
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    lane = json.loads(done.stdout)["lanes"][0]
    assert lane["weights"][0] == pytest.approx(2, rel=1e-6)
    assert lane["bias"] == pytest.approx(1, rel=1e-6)


def test_a_closed_pipe_ends_quietly(environment: dict[str, str]) -> None:
    command = " ".join(COMMAND) + " sweep --lrs log:1e-4:1:5000 | head -n 1"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, timeout=120, env=environment
    )
    assert done.stderr == ""
    assert done.stdout.count("\n") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("words", ["sweep", "sweep --json", "explain", "sweep --help"])
def test_a_full_disk_is_one_line(environment: dict[str, str], words: str) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*COMMAND, *words.split()],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            env={**environment, "LANG": "C.UTF-8"},
        )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "Standard output must be writable" in done.stderr


def test_ctrl_c_leaves_what_is_finished(environment: dict[str, str], tmp_path: Path) -> None:
    output, kept = tmp_path / "sweep.csv", tmp_path / "kept"
    command = [
        *(*COMMAND, "sweep", "--epochs", "20000", "--engine", "gram", "--save", str(output)),
        *("--checkpoint", str(kept), "--checkpoint-every", "0"),
    ]
    done = interrupted_once_saved(command, kept, env=environment)
    assert done.returncode == 130, done.stderr
    assert done.stderr == ""
    assert "Interrupted" in done.stdout
    assert len(output.read_text().splitlines()) > 4 * 2


def test_nothing_printed_but_the_command_warns_of_nothing(environment: dict[str, str]) -> None:
    """With warnings as errors, a sweep in which rates overflow still ends well."""
    done = subprocess.run(
        [*COMMAND, "sweep", "--lrs", "0.1,10,1e300", "--epochs", "30"],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "diverg" in done.stdout
