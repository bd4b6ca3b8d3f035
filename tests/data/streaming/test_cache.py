"""A cache that has its name is whole, whatever happens while it is made."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import polars as pl
import pytest

from learnrate.data.prepared import Prepared
from learnrate.data.streaming import cache as caches
from learnrate.data.streaming import examples
from learnrate.data.streaming.examples import from_stream
from learnrate.errors import DataError, OutputError

N = 4000


@pytest.fixture
def table(tmp_path: Path) -> Path:
    write(tmp_path / "table.parquet", 0)
    return tmp_path / "table.parquet"


def write(path: Path, seed: int, rows: int = N) -> None:
    rng = np.random.default_rng(seed)
    pl.DataFrame({"a": rng.normal(size=rows), "y": rng.normal(size=rows)}).write_parquet(path)


def load(table: Path, **options: Any) -> Prepared:
    return from_stream(table, "y", memory=10**8, cache=table.parent / "cache", **options)


def held(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "cache").iterdir())


def no_reading() -> Any:
    return mock.patch.object(examples, "make_plan", side_effect=AssertionError("it was read again"))


def test_a_second_start_reads_the_cache_alone(table: Path) -> None:
    first = load(table)
    with no_reading():
        second = load(table)
    assert first.fingerprint == second.fingerprint
    assert (first.X_train == second.X_train).all()
    assert held(table.parent) != []
    arrays = list((table.parent / "cache").glob("*/X.npy"))
    assert (np.load(arrays[0], allow_pickle=False).shape) == (N, 1)


def test_a_changed_source_is_noticed_and_its_old_cache_removed(table: Path) -> None:
    before, name = load(table).fingerprint, held(table.parent)
    write(table, seed=1)
    assert load(table).fingerprint != before
    assert len(held(table.parent)) == 1
    assert held(table.parent) != name


def test_a_newer_time_alone_counts_as_a_change(table: Path) -> None:
    load(table)
    os.utime(table, ns=(1, 1))
    with pytest.raises(AssertionError, match="read again"), no_reading():
        load(table)


def test_other_options_have_another_cache(table: Path) -> None:
    load(table)
    load(table, dtype="float32")
    load(table, val_fraction=0.5)
    load(table, val_fraction=0.5, seed=1)
    load(table, standardize=False)
    assert len(held(table.parent)) == 5
    with no_reading():
        load(table)
        load(table, seed=7)  # nothing is held out, so the seed decides nothing


def test_a_cache_that_was_cut_short_is_made_again(table: Path) -> None:
    before = load(table).fingerprint
    (file,) = (table.parent / "cache").glob("*/X.npy")
    file.write_bytes(file.read_bytes()[:-8])
    assert load(table).fingerprint == before
    (file.parent / caches.FACTS).write_text("{", encoding="utf-8")
    assert load(table).fingerprint == before
    assert len(held(table.parent)) == 1


def test_a_table_that_changes_while_it_is_read_is_refused(table: Path) -> None:
    write_cache = examples._write

    def disturbed(*arguments: Any) -> Any:
        write(table, 0, rows=N + 1)
        return write_cache(*arguments)

    with (
        mock.patch.object(examples, "_write", disturbed),
        pytest.raises(DataError, match="must not change"),
    ):
        load(table)
    assert held(table.parent) == []


_BUILD = """
import sys, time
from pathlib import Path
from unittest import mock
from learnrate.data.streaming import examples
from learnrate.data.streaming.examples import from_stream

add = examples._NpyWriter.add
def slow(rows, values):
    add(rows, values)
    rows._stream.flush()
    print("writing", flush=True)
    time.sleep(float(sys.argv[2]))

examples._NpyWriter.add = slow
table = Path(sys.argv[1])
from_stream(table, "y", memory=10**8, cache=table.parent / "cache")
"""


def builder(table: Path, pause: float) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _BUILD, str(table), str(pause)], stdout=subprocess.PIPE, text=True
    )


def test_a_build_that_was_killed_leaves_nothing_that_counts(table: Path) -> None:
    process = builder(table, 60)
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    left = held(table.parent)
    assert len(left) == 2
    assert all(name.startswith(".building-") for name in left)
    load(table)  # while the other is writing: its folder is left alone
    assert set(left) < set(held(table.parent))
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=60)
    process.stdout.close()
    whole = [name for name in held(table.parent) if name not in left]
    for name in whole:
        (table.parent / "cache" / name / caches.FACTS).unlink()
    assert load(table).n == N
    assert held(table.parent) == whole


def test_two_processes_that_build_at_once_do_each_other_no_harm(table: Path) -> None:
    both = [builder(table, 0.2) for _ in range(2)]
    for process in both:
        process.communicate(timeout=60)
        assert process.returncode == 0
    assert len(held(table.parent)) == 1
    with no_reading():
        assert load(table).n == N


def test_a_disk_too_small_is_said_before_anything_is_written(table: Path) -> None:
    small = mock.Mock(return_value=mock.Mock(free=10))
    with (
        mock.patch("shutil.disk_usage", small),
        pytest.raises(
            OutputError, match=r"64 kB are needed .* No space left .*10 bytes free.*cache"
        ),
    ):
        load(table)
    assert held(table.parent) == []


def test_a_disk_that_fills_up_ends_in_one_line_and_leaves_nothing(table: Path) -> None:
    add, calls = examples._NpyWriter.add, []

    def full(rows: Any, values: Any) -> None:
        calls.append(1)
        if len(calls) > 1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        add(rows, values)

    with (
        mock.patch.object(examples._NpyWriter, "add", full),
        pytest.raises(OutputError, match="64 kB are needed") as caught,
    ):
        load(table)
    assert "\n" not in str(caught.value)
    assert held(table.parent) == []


@pytest.mark.skipif(sys.platform == "win32", reason="limits of processes")
def test_the_systems_own_limit_of_a_files_size_is_met_by_the_command(table: Path) -> None:
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000));"
        "from learnrate.cli.main import main; main(sys.argv[1:])"
    )
    folder = table.parent / "cache"
    words = ["sweep", str(table), "--memory", "100MB", "--cache", str(folder), "--quiet"]
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 2
    assert done.stderr.startswith("learnrate: The cache must fit on its disk: 64 kB are needed")
    assert len(done.stderr.splitlines()) == 1
    assert held(table.parent) == []


def test_a_folder_that_cannot_be_made_is_one_line(table: Path) -> None:
    (table.parent / "file").write_text("")
    with pytest.raises(OutputError, match="must be writable"):
        from_stream(table, "y", memory=10**8, cache=table.parent / "file")


def test_an_interrupt_leaves_nothing(table: Path) -> None:
    with (
        mock.patch.object(examples._NpyWriter, "add", side_effect=KeyboardInterrupt),
        pytest.raises(KeyboardInterrupt),
    ):
        load(table)
    assert held(table.parent) == []


def test_threads_share_one_cache(table: Path) -> None:
    found: list[Prepared] = []
    threads = [threading.Thread(target=lambda: found.append(load(table))) for _ in range(4)]
    for thread in threads:
        thread.start()
    began = time.monotonic()
    for thread in threads:
        thread.join(timeout=60)
    assert time.monotonic() - began < 60
    assert len({prepared.fingerprint for prepared in found}) == 1
    assert len(found) == 4
