"""Random and damaged files: nothing but DataError and OptionError gets out, in one line."""

from __future__ import annotations

import gzip
import io
import random
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from learnrate.data import read_table
from learnrate.data.prepare import prepare
from learnrate.errors import DataError, OptionError

FRAME = pl.DataFrame({"a": [1.5, 2, 3], "b": ["x", "y", "x"], "c": [1, None, 3], "y": [1, 2, 3]})
TEXT = b'ab,;\t\n\r"12.-NA?\xff\x00 {}[]:'


def whole_files() -> dict[str, bytes]:
    """A good file of every format."""
    files = {}
    for suffix, write in {
        ".csv": FRAME.write_csv,
        ".parquet": FRAME.write_parquet,
        ".arrow": FRAME.write_ipc,
        ".ipc": FRAME.write_ipc_stream,
        ".jsonl": FRAME.write_ndjson,
        ".npy": lambda buffer: np.save(buffer, np.eye(3)),
        ".npz": lambda buffer: np.savez(buffer, X=np.eye(3), y=np.ones(3)),
    }.items():
        buffer = io.BytesIO()
        write(buffer)  # type: ignore[operator]
        files[suffix] = buffer.getvalue()
    return files | {".csv.gz": gzip.compress(files[".csv"])}


def damaged(content: bytes, rng: random.Random) -> bytes:
    """Random bytes, random text, or the file with a few bytes changed, cut out or put in."""
    kind = rng.random()
    if kind < 0.1:
        return rng.randbytes(rng.randrange(200))
    if kind < 0.3:
        return bytes(rng.choice(TEXT) for _ in range(rng.randrange(60)))
    broken = bytearray(content)
    for _ in range(rng.randrange(1, 6)):
        place = rng.randrange(len(broken) + 1)
        match rng.randrange(3):
            case 0:
                broken[place : place + 1] = rng.randbytes(1)
            case 1:
                del broken[place : place + rng.randrange(1, 20)]
            case 2:
                broken[place:place] = rng.randbytes(rng.randrange(1, 8))
    return bytes(broken)


def fuzz(folder: Path, seed: int, files: int) -> int:
    """Read that many damaged files of each format; return how many were still tables."""
    rng = random.Random(seed)
    tables, messages = 0, []
    for suffix, content in whole_files().items():
        path = folder / f"t{suffix}"
        for _ in range(files):
            path.write_bytes(damaged(content, rng))
            try:
                frame = read_table(path)
                tables += 1
                missing = rng.choice(["error", "drop", "mean"])
                prepare(
                    frame, frame.columns[-1], missing=missing, val_fraction=rng.choice([0.0, 0.3])
                )
            except (DataError, OptionError) as error:
                messages.append(str(error))
    assert [message for message in messages if len(message.splitlines()) != 1] == []
    return tables


def test_damaged_files(tmp_path: Path) -> None:
    assert fuzz(tmp_path, seed=0, files=100) > 10


@pytest.mark.slow
def test_many_damaged_files(tmp_path: Path) -> None:
    assert fuzz(tmp_path, seed=1, files=600) > 60
