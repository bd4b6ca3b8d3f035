"""Bad input gets one line that says what must hold, what came and what to do; code 2; nothing written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cli.conftest import Done

Run = Callable[..., Done]

GOOD = "a,b,price\n" + "".join(f"{i % 7},{i * i % 11},{i}\n" for i in range(40))

FILES: dict[str, bytes] = {
    "good.csv": GOOD.encode(),
    "empty.csv": b"",
    "header.csv": b"a,b,price\n",
    "ragged.csv": b"a,b,price\n1,2,3\n1,2,3,4,5\n1,2,9\n",
    "latin.csv": "a,Größe,price\n1,ä,3\n2,ö,4\n".encode("latin-1"),
    "words.csv": b"a,b,price\n1,2,cheap\n2,3,dear\n4,4,dear\n",
    "nan.csv": b"a,b,price\n1,2,3\n2,,4\n3,5,5\n",
    "inf.csv": b"a,b,price\n1,2,3\n2,inf,4\n3,5,5\n",
    "one.csv": b"a,b,price\n1,2,3\n",
    "constant.csv": b"a,b,price\n1,2,3\n1,2,4\n1,2,5\n",
    "table.doc": b"PK",
    "fake.parquet": b"not a parquet file",
    "fake.npz": b"not an npz file",
}

CASES: list[Any] = [
    (["nowhere.csv", "-t", "price"], ["nowhere.csv"]),
    (["goood.csv", "-t", "price"], ["goood.csv", "good.csv"]),
    (["empty.csv", "-t", "price"], ["empty.csv"]),
    (["header.csv", "-t", "price"], ["header.csv"]),
    (["ragged.csv", "-t", "price"], ["ragged.csv", "line 3"]),
    (["latin.csv", "-t", "price", "--encoding", "klingon"], ["encoding", "klingon"]),
    (["words.csv", "-t", "price"], ["price", "cheap"]),
    (["nan.csv", "-t", "price"], ["b", "--missing drop", "--missing mean"]),
    (["inf.csv", "-t", "price"], ["b", "inf"]),
    (["one.csv", "-t", "price"], ["2"]),
    (["constant.csv", "-t", "price"], ["constant"]),
    (["table.doc", "-t", "price"], [".doc", ".csv"]),
    (["fake.parquet", "-t", "price"], ["fake.parquet"]),
    (["fake.npz"], ["fake.npz"]),
    (["*.nothing", "-t", "price"], ["*.nothing"]),
    (["good.csv"], ["--target", "price"]),
    (["good.csv", "-t", "prize"], ["'prize'", "Did you mean 'price'?"]),
    (["good.csv", "-t", "price", "--features", "a,c"], ["'c'"]),
    (["good.csv", "-t", "price", "--features", "a,price"], ["price"]),
    (["good.csv", "-t", "price", "-b", "0"], ["--batch-size", "0"]),
    (["good.csv", "-t", "price", "-b", "41"], ["--batch-size", "40", "41"]),
    (["good.csv", "-t", "price", "-b", "ten"], ["ten", "learnrate sweep --help"]),
    (["good.csv", "-t", "price", "--epochs", "0"], ["epochs"]),
    (["good.csv", "-t", "price", "--seeds", "0"], ["seeds"]),
    pytest.param(["--cluster", "somewhere"], ["somewhere", "host:port"], marks=pytest.mark.extra),
    pytest.param(
        ["--cluster", "127.0.0.1:1"],
        ["127.0.0.1:1", "nobody answers", "ray start --head"],
        marks=pytest.mark.extra,
    ),
    (["--cluster", "local", "--cluster-split", "rows"], ["rows", "lanes or data"]),
    (["--cluster-split", "data"], ["--cluster-split", "--cluster local"]),
    (
        ["--cluster", "local", "--cluster-split", "data", "--model", "a.b:c"],
        ["--cluster-split data", "--model"],
    ),
    pytest.param(
        ["--cluster", "local", "--cluster-split", "data", "--engine", "gram"],
        ["gram", "fused"],
        marks=pytest.mark.extra,
    ),
    (["good.csv", "-t", "price", "--seed", "-1"], ["seed"]),
    (["good.csv", "-t", "price", "--val", "1.5"], ["1.5"]),
    (["good.csv", "-t", "price", "--val", "-0.1"], ["-0.1"]),
    (["--lrs", "0.1,-1"], ["-1"]),
    (["--lrs", "nan"], ["nan"]),
    (["--lrs", ""], ["at least one"]),
    (["--lrs", "0.5:0.1:0.1"], ["stop is excluded"]),
    (["--lrs", "0:1:1e-8"], ["1,000,000"]),
    (["--sampling", "shufle"], ["'shufle'", "'shuffle'"]),
    (["--dtype", "float16"], ["float16", "float32"]),
    (["--engine", "gran"], ["'gran'", "'gram'"]),
    (["--momentum", "1"], ["momentum"]),
    (["--weight-decay", "-1"], ["--weight-decay"]),
    (["--schedule", "cosin"], ["'cosin'", "'cosine'"]),
    (["--missing", "guess"], ["guess", "drop"]),
    (["--save", "a.jpg"], [".jpg", ".png"]),
    (["--save", "nowhere/a.png"], ["nowhere"]),
    (["--save", "folder.png"], ["folder.png"]),
    (["--no-such-option"], ["--no-such-option"]),
]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "folder.png").mkdir()
    return tmp_path


@pytest.mark.parametrize(("arguments", "words"), CASES, ids=lambda value: " ".join(value)[:40])
def test_one_line_and_nothing_written(
    learnrate: Run, files: Path, arguments: list[str], words: list[str]
) -> None:
    before = sorted(files.rglob("*"))
    save = [] if "--save" in arguments else ["--save", "out.png"]
    done = learnrate("sweep", *arguments, *save)
    assert done.code == 2, done.out
    assert done.out == ""
    assert done.err.count("\n") == 1, done.err
    assert "Traceback" not in done.err
    for word in words:
        assert word in done.err
    assert sorted(files.rglob("*")) == before


def test_an_unknown_command(learnrate: Run) -> None:
    done = learnrate("sweeep")
    assert done.code == 2
    assert "sweeep" in done.err
    assert done.err.count("\n") == 1


def test_pickles_are_never_loaded(learnrate: Run, tmp_path: Path) -> None:
    class Loud:
        def __reduce__(self) -> tuple[object, ...]:
            return (open, (str(tmp_path / "loaded"), "w"))

    objects = np.array([Loud(), Loud()], dtype=object)
    np.save(tmp_path / "a.npy", objects, allow_pickle=True)
    np.savez(tmp_path / "a.npz", allow_pickle=True, X=objects, y=np.arange(2))
    for name in ("a.npy", "a.npz"):
        done = learnrate("sweep", name, "-t", "0")
        assert done.code == 2, done.out
        assert not (tmp_path / "loaded").exists()


def test_nothing_at_all_is_answered_with_the_help(learnrate: Run) -> None:
    done = learnrate()
    assert (done.code, done.err) == (0, "")
    assert done.out == learnrate("--help").out
    assert "learnrate sweep houses.csv --target price" in done.out


def test_a_command_that_is_none(learnrate: Run) -> None:
    done = learnrate("swep")
    assert done.code == 2
    assert done.err.endswith("Did you mean 'sweep'? See: learnrate --help\n")
