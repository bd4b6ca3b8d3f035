"""Faults that are injected: disks that are full, files that fail to be read, kills in mid-write.

Each fault is real: a small file system in memory that fills up (Linux, in a mount namespace of its own, so
nothing outside it is touched), a process that is killed. What must come out of it is one clear line with
exit code 2, or the right numbers; and nothing half-written.
"""

from __future__ import annotations

import os
import random
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
LEARNRATE = [sys.executable, "-m", "learnrate"]
PATIENCE = 120


class Trial(NamedTuple):
    """One fault: what was done, whether it ended as it must, and what was said."""

    fault: str
    held: bool
    said: str


def environment() -> dict[str, str]:
    """One thread of BLAS, and this source."""
    return {**os.environ, "PYTHONPATH": str(ROOT / "src"), "OPENBLAS_NUM_THREADS": "1"}


def namespaces_work() -> bool:
    """Whether this system lets us mount a file system of our own."""
    try:
        return _on_small_disk(["true"], Path(tempfile.gettempdir()), "16k").returncode == 0
    except FileNotFoundError:
        return False


def _on_small_disk(command: list[str], folder: Path, size: str) -> subprocess.CompletedProcess[str]:
    """Run with ``folder`` on a disk of that size; afterwards its content is listed on standard output."""
    mounted = shlex.quote(str(folder))
    script = (
        f"mount -t tmpfs -o size={size} tmpfs {mounted} && {shlex.join(command)}; code=$?; "
        f"find {mounted} -mindepth 1 -type f; exit $code"
    )
    own = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]
    return subprocess.run(
        [*own, "sh", "-c", script],
        capture_output=True, text=True, timeout=PATIENCE, check=False, env=environment(),
    )  # fmt: skip


def one_line(done: subprocess.CompletedProcess[str]) -> bool:
    """Whether it ended with 2 and one line, and left no file."""
    return (
        done.returncode == 2
        and done.stderr.startswith("learnrate: ")
        and done.stderr.count("\n") == 1
        and done.stdout.strip() == ""
    )


def full_disks(folder: Path) -> Iterator[Trial]:
    """Everything that is written, on a disk too small for it."""
    disk = folder / "disk"
    disk.mkdir()
    table = folder / "table.csv"
    rng = random.Random(0)
    rows = (f"{rng.random()},{rng.random()},{rng.random()}" for _ in range(20_000))
    table.write_text("a,b,y\n" + "\n".join(rows))
    sweep = [*LEARNRATE, "sweep", "--quiet"]
    for suffix in ("png", "svg", "pdf", "html", "csv", "parquet", "json"):
        rates = "log:1e-3:0.1:600" if suffix in ("csv", "parquet", "json") else "0.01,0.02"
        command = [*sweep, "--lrs", rates, "--save", str(disk / f"sweep.{suffix}")]
        done = _on_small_disk(command, disk, "8k")
        yield Trial(f"disk full while sweep.{suffix} is written", one_line(done), done.stderr)
    checkpoint = [*sweep, "--lrs", "log:1e-3:0.1:600", "--checkpoint", str(disk / "kept")]
    done = _on_small_disk(checkpoint, disk, "8k")
    goes_on = done.returncode == 0 and done.stderr.startswith("learnrate: note: ")
    goes_on &= done.stderr.count("\n") == 1 and done.stdout.strip() == ""
    yield Trial("disk full while a checkpoint is written", goes_on, done.stderr)
    streamed = [*sweep, str(table), "--target", "y", "--memory", "50MB", "--lrs", "0.1"]
    done = _on_small_disk([*streamed, "--cache", str(disk / "cache")], disk, "64k")
    yield Trial("disk full while a table's cache is written", one_line(done), done.stderr)


def unreadable_files(folder: Path) -> Iterator[Trial]:
    """Files that are there and cannot be read to their end."""
    for name, target in {
        "a file of the system that fails when read": Path("/proc/self/mem"),
        "a link that leads to itself": folder / "loop.csv",
        "a file that ends in the middle (Parquet)": folder / "half.parquet",
        "a pipe that nobody writes to is closed (CSV)": Path("/dev/null"),
    }.items():
        link = folder / f"table-{abs(hash(name)) % 1000}{target.suffix or '.csv'}"
        if target.name == "loop.csv":
            os.symlink(target, target)
            link = target
        elif target.name == "half.parquet":
            link.write_bytes(b"PAR1" + bytes(100))
        else:
            os.symlink(target, link)
        done = subprocess.run(
            [*LEARNRATE, "sweep", str(link), "--target", "y", "--quiet"],
            capture_output=True, text=True, timeout=PATIENCE, check=False, env=environment(),
        )  # fmt: skip
        yield Trial(name, one_line(done), done.stderr)


def kills(folder: Path, count: int, seed: int = 0) -> Iterator[Trial]:
    """SIGKILL at random moments of a sweep with checkpoints; the resumed table is the unbroken one's."""
    rng = random.Random(seed)
    settings = ["--lrs", "0.01,0.3,5", "--engine", "gram", "--epochs", "60", "--seeds", "4"]
    command = [*LEARNRATE, "sweep", *settings, "--momentum", "0.5", "--quiet"]
    whole = folder / "whole.csv"
    subprocess.run(
        [*command, "--save", str(whole)], check=True, env=environment(), timeout=PATIENCE
    )
    struck, runs, same = 0, 0, 0
    while struck < count:
        kept, table = folder / f"kept-{runs}", folder / f"resumed-{runs}.csv"
        resumed = [*command, "--save", str(table), "--checkpoint", str(kept)]
        while _killed([*resumed, "--checkpoint-every", "0"], rng.uniform(0.4, 1.6)):
            struck += 1
        runs += 1
        same += table.read_bytes() == whole.read_bytes()
    said = f"{struck} kills in {runs} sweeps; {same} of the resumed tables are the unbroken one's bytes"
    yield Trial(f"{struck} kills with SIGKILL of sweeps with checkpoints", same == runs, said)


def killed_builds(folder: Path, count: int, seed: int = 0) -> Iterator[Trial]:
    """SIGKILL while a table's cache is built: the next run builds it anew, and gives the right numbers."""
    import polars as pl

    rng = random.Random(seed)
    rows = [[rng.gauss(0, 1) for _ in range(4)] for _ in range(60_000)]
    table = folder / "rows.parquet"
    pl.DataFrame(rows, schema=["a", "b", "c", "y"], orient="row").write_parquet(table)
    command = [*LEARNRATE, "sweep", str(table), "--target", "y", "--lrs", "0.1", "--quiet"]
    command += ["--memory", "50MB", "--epochs", "1"]
    whole, again = folder / "built.csv", folder / "again.csv"
    subprocess.run(
        [*command, "--cache", str(folder / "first"), "--save", str(whole)],
        check=True, env=environment(), timeout=PATIENCE,
    )  # fmt: skip
    struck = sum(
        _killed([*command, "--cache", str(folder / "second")], rng.uniform(0.3, 1.5))
        for _ in range(count)
    )
    subprocess.run(
        [*command, "--cache", str(folder / "second"), "--save", str(again)],
        check=True, env=environment(), timeout=PATIENCE,
    )  # fmt: skip
    held = again.read_bytes() == whole.read_bytes()
    yield Trial(
        f"{struck} kills with SIGKILL while a cache is built", held, f"the same table: {held}"
    )


def _killed(command: list[str], seconds: float) -> bool:
    """Run, and strike after so many seconds; False if it had ended, and well, before."""
    process = subprocess.Popen(command, env=environment())
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            if process.returncode:
                raise RuntimeError(f"{command} ended with {process.returncode}")
            return False
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=PATIENCE)
    return True


def all_trials(folder: Path, *, kill: int = 50) -> Iterator[Trial]:
    """Every fault that this system lets us make."""
    if namespaces_work():
        yield from full_disks(folder)
    yield from unreadable_files(folder)
    yield from kills(folder, kill)
    yield from killed_builds(folder, max(1, kill // 5))


def main() -> int:
    """Print every trial."""
    with tempfile.TemporaryDirectory() as folder:
        trials = list(all_trials(Path(folder)))
    for trial in trials:
        print("held  " if trial.held else "FAILED", trial.fault, "—", trial.said.strip())
    return 0 if all(trial.held for trial in trials) else 1


if __name__ == "__main__":
    sys.exit(main())
