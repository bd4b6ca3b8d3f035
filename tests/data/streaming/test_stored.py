from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from learnrate.data.rows import ArrayRows, Rows
from learnrate.data.streaming.stored import StoredRows
from learnrate.errors import DataError


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Rows, Rows]:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(103, 4)), rng.normal(size=103)
    np.save(tmp_path / "X.npy", X)
    np.save(tmp_path / "y.npy", y)
    return ArrayRows(X, y), StoredRows(tmp_path)


@pytest.mark.parametrize("size", [1, 10, 103])
def test_blocks_are_those_of_memory_in_any_order(pair: tuple[Rows, Rows], size: int) -> None:
    memory, stored = pair
    assert isinstance(stored, Rows)
    assert (stored.n, stored.d, stored.dtype.name) == (103, 4, "float64")
    order = np.random.default_rng(1).permutation(-(-103 // size)).tolist()
    for _ in range(2):  # the second time in the buffers of the first
        taken = zip(memory.blocks(size, order), stored.blocks(size, order), strict=True)
        for a, b in taken:
            assert (a.X == b.X).all()
            assert (a.y == b.y).all()
            assert b.X.flags.c_contiguous


def test_evenly_spaced_rows(pair: tuple[Rows, Rows]) -> None:
    memory, stored = pair
    for step in (1, 7, 200):
        assert (memory.every(step).X == stored.every(step).X).all()
        assert (memory.every(step).y == stored.every(step).y).all()


def test_two_passes_at_once_have_buffers_of_their_own(pair: tuple[Rows, Rows]) -> None:
    memory, stored = pair
    order = range(11)
    for a, b, c in zip(
        memory.blocks(10, order), stored.blocks(10, order), stored.blocks(10, order), strict=True
    ):
        assert (a.X == b.X).all()
        assert (a.X == c.X).all()
        assert not np.shares_memory(b.X, c.X)


def test_a_pass_that_is_given_up_leaves_no_thread(pair: tuple[Rows, Rows]) -> None:
    before = threading.active_count()
    blocks = pair[1].blocks(10, range(11))
    next(blocks)
    blocks.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before


def test_a_file_that_is_not_whole_is_told(tmp_path: Path, pair: tuple[Rows, Rows]) -> None:
    path = tmp_path / "X.npy"
    content = path.read_bytes()
    for bad in (content[:-1], content[:50], b"", content + b"0"):
        path.write_bytes(bad)
        with pytest.raises(DataError, match="must be as it was written"):
            StoredRows(tmp_path)


def test_a_file_that_is_cut_while_it_is_read_is_told(
    tmp_path: Path, pair: tuple[Rows, Rows]
) -> None:
    with (tmp_path / "X.npy").open("r+b") as stream:
        stream.truncate(1000)
    with pytest.raises(DataError, match="ends too early"):
        list(pair[1].blocks(10, range(11)))
