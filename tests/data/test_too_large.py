"""A small file that stands for more than memory ends in one clear line, before memory is asked for."""

from __future__ import annotations

import gzip
import resource
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import ipc

from learnrate import _memory
from learnrate.data import read_table, sources
from learnrate.errors import DataError


@pytest.fixture
def little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "free_memory", lambda: 10_000_000)


def gzip_bomb(path: Path) -> None:
    with gzip.open(path, "wb") as file:
        file.write(b"a,y\n")
        for _ in range(60):
            file.write(b"1,2\n" * 250_000)


def npz_bomb(path: Path) -> None:
    """Arrays of zeros, packed to a thousandth."""
    np.savez_compressed(path, X=np.zeros((1_000_000, 2)), y=np.zeros(1_000_000))


def parquet_bomb(path: Path) -> None:
    pq.write_table(pa.table({"a": np.zeros(1_000_000), "y": np.zeros(1_000_000)}), path)


def arrow_bomb(path: Path) -> None:
    table = pa.table({"a": np.zeros(1_000_000), "y": np.zeros(1_000_000)})
    options = ipc.IpcWriteOptions(compression="zstd")
    with ipc.new_file(path, table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=100_000)


BOMBS = {
    "t.csv.gz": gzip_bomb,
    "t.npz": npz_bomb,
    "t.parquet": parquet_bomb,
    "t.arrow": arrow_bomb,
}


@pytest.mark.usefixtures("little_memory")
@pytest.mark.parametrize("name", BOMBS)
def test_more_than_memory_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    BOMBS[name](tmp_path / name)
    assert (tmp_path / name).stat().st_size < 500_000
    with pytest.raises(
        DataError, match=r"must fit in memory. Got a table of .* GB or more"
    ) as caught:
        read_table(tmp_path / name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["t.npz", "t.parquet", "t.arrow"])
def test_with_memory_enough_the_same_file_is_read(tmp_path: Path, name: str) -> None:
    BOMBS[name](tmp_path / name)
    assert read_table(tmp_path / name).height == 1_000_000


def test_a_real_bomb_ends_within_little_memory(tmp_path: Path) -> None:
    """An npz that claims 8 TB, in a process of its own."""
    path = tmp_path / "t.npz"
    header = np.lib.format.header_data_from_array_1_0(np.zeros((1, 2)))
    header["shape"] = (500_000_000_000, 2)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("X.npy", "y.npy"):
            with archive.open(name, "w", force_zip64=True) as file:
                np.lib.format.write_array_header_1_0(file, header)
                for _ in range(50):
                    file.write(bytes(1 << 20))
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    done = subprocess.run(
        [sys.executable, "-m", "learnrate", "sweep", str(path), "--target", "y"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    after = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    assert after <= max(before, 1_000_000), "kilobytes"


def test_free_memory_is_a_containers_where_that_is_less(tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text("1000000\n")
    (tmp_path / "memory.current").write_text("400000\n")
    assert _memory._of_container(tmp_path) == 600_000
    (tmp_path / "memory.max").write_text("max\n")
    assert _memory._of_container(tmp_path) is None
    assert _memory._of_container(tmp_path / "nothing") is None
    assert 1 << 20 < _memory.free_memory() < 1 << 50
