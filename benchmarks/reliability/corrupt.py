"""Inputs that are wrong in many ways: tables as bytes, options as words, arguments as objects."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable
from typing import Any

import numpy as np

import learnrate

__all__ = ["ARGUMENTS", "TABLES", "mutate", "options"]

WORDS = [
    "", " ", "0", "-1", "1e400", "nan", "inf", "-inf", "1,5", "1.2.3", "0x10", "1_000", "NaN", "NA", "null",
    "é", "学习率", "\u202e", "\x00", "'", '"', '""', "=1+1", "=cmd|'/c calc'!A0", "<script>", "{{7*7}}", "%s%n",
    "../../etc/passwd", "a" * 5000, "1e308", "5e-324", "True", "2020-01-01", "12:30", "🙂", "\ufeff", ";", "\t",
]  # fmt: skip
BYTES = [
    b"\x00",
    b"\xff",
    b"\xfe\xff",
    b"\r",
    b"\n",
    b"\n\n",
    b'"',
    b",",
    b";",
    b"\t",
    b"\x1a",
    b"\xc3\x28",
]


def _numbers(rng: random.Random) -> tuple[list[str], list[list[Any]]]:
    n, d = rng.choice([0, 1, 2, 20, 40, 60, 60, 60]), rng.choice([1, 2, 3, 8])
    wild = rng.random() < 0.5
    names = [
        rng.choice(["a", "b", "y", *WORDS]) if wild and rng.random() < 0.3 else f"x{j}"
        for j in range(d)
    ] + ["y"]
    odd = ["text", "gappy", "word", "huge"] if wild else ["text", "float"]
    kinds = [rng.choice(["float", "float", "int", *odd]) for _ in names]
    kinds[-1] = rng.choice(["float", "float", "int", *(["gappy", "text"] if wild else [])])
    return names, [[_value(rng, kind) for kind in kinds] for _ in range(n)]


def _value(rng: random.Random, kind: str) -> Any:
    if kind == "float":
        return rng.gauss(0, 1)
    if kind == "int":
        return rng.randrange(-5, 6)
    if kind == "text":
        return rng.choice(["red", "green", "blue", "grün"])
    if kind == "gappy":
        return rng.choice([None, rng.random(), float("nan"), 1])
    if kind == "huge":
        return rng.choice([1e308, -1e308, 1e-320, 1e200, 10**19])
    return rng.choice(WORDS)


def _delimited(delimiter: str) -> Callable[[random.Random], bytes]:
    def make(rng: random.Random) -> bytes:
        names, rows = _numbers(rng)
        lines = [names, *rows]
        if rows and rng.random() < 0.2:
            rng.choice(lines).append("one too many")
        text = "\n".join(
            delimiter.join("" if value is None else str(value) for value in line) for line in lines
        )
        return text.encode(rng.choice(["utf-8"] * 6 + ["utf-16", "utf-8-sig"]), "replace")

    return make


def _json_lines(rng: random.Random) -> bytes:
    names, rows = _numbers(rng)
    lines = [json.dumps(dict(zip(names, row, strict=True))) for row in rows]
    if rows and rng.random() < 0.3:
        lines.insert(
            0,
            rng.choice(["[]", "{}", "null", "{", '{"y": {"a": 1}}', '{"y": [1]}', '{"y": 1e999}']),
        )
    return "\n".join(lines).encode()


def _columns(rng: random.Random) -> dict[str, Any]:
    import pyarrow as pa

    names, rows = _numbers(rng)
    columns: dict[str, Any] = {}
    for j, name in enumerate(names):
        values = [row[j] for row in rows]
        try:
            columns[name] = pa.array(values, from_pandas=False)
        except (pa.ArrowException, OverflowError, TypeError, ValueError):
            columns[name] = pa.array([None if value is None else str(value) for value in values])
    return columns


def _parquet(rng: random.Random) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = io.BytesIO()
    pq.write_table(
        pa.table(_columns(rng)), file, compression=rng.choice(["snappy", "zstd", "none"])
    )
    return file.getvalue()


def _arrow(rng: random.Random) -> bytes:
    import pyarrow as pa
    import pyarrow.feather as feather

    file = io.BytesIO()
    feather.write_feather(pa.table(_columns(rng)), file)
    return file.getvalue()


def _array(rng: random.Random) -> Any:
    shape = rng.choice(
        [(20, 3)] * 6 + [(20,)] * 3 + [(), (0,), (5,), (3, 20), (0, 3), (20, 0), (4, 3, 2), (20, 1)]
    )
    kind = rng.choice(["f8", "f4", "f2", "i8", "u1", "?", "c16", "U3", "M8[s]", "S2", "f8", "f8"])
    values = np.array([rng.gauss(0, 1) for _ in range(int(np.prod(shape)))]).reshape(shape)
    if rng.random() < 0.2 and values.size:
        values.flat[0] = rng.choice([np.nan, np.inf, 1e308])
    with np.errstate(all="ignore"):
        return np.abs(values).astype(int).astype(kind) if kind == "M8[s]" else values.astype(kind)


def _npy(rng: random.Random) -> bytes:
    file = io.BytesIO()
    pickled = rng.random() < 0.1
    np.save(file, np.array([{}, 1], dtype=object) if pickled else _array(rng), allow_pickle=True)
    return file.getvalue()


def _npz(rng: random.Random) -> bytes:
    file = io.BytesIO()
    names = rng.choice([("X", "y"), ("X", "y"), ("a",), ("X",), ("x", "y"), ()])
    arrays = {name: _array(rng) for name in names}
    if rng.random() < 0.6:
        X = np.array([rng.gauss(0, 1) for _ in range(60)]).reshape(20, 3)
        arrays |= {"X": X, "y": np.arange(20.0)}
    np.savez(file, allow_pickle=True, **arrays)
    return file.getvalue()


TABLES: dict[str, Callable[[random.Random], bytes]] = {
    "csv": _delimited(","),
    "tsv": _delimited("\t"),
    "parquet": _parquet,
    "arrow": _arrow,
    "jsonl": _json_lines,
    "npy": _npy,
    "npz": _npz,
}
"""Makers of a table's bytes, by suffix."""


def mutate(rng: random.Random, content: bytes) -> bytes:
    """Cut, flip, double, insert: from nothing at all up to a dozen times."""
    content = bytes(content)
    for _ in range(rng.choice([0, 0, 1, 1, 2, 4, 12])):
        at = rng.randrange(len(content) + 1)
        what = rng.randrange(6)
        if what == 0:
            content = content[:at]
        elif what == 1 and content:
            at = min(at, len(content) - 1)
            content = (
                content[:at] + bytes([content[at] ^ (1 << rng.randrange(8))]) + content[at + 1 :]
            )
        elif what == 2:
            content = content[:at] + rng.choice(BYTES) * rng.choice([1, 1, 3]) + content[at:]
        elif what == 3:
            content = content[:at] + content[at + rng.choice([1, 4, 16]) :]
        elif what == 4:
            content = content[:at] + rng.randbytes(8) + content[at + 8 :]
        else:
            content = (
                content[:at] + rng.choice(WORDS).encode("utf-8", "surrogatepass") + content[at:]
            )
    return content


_NUMBERS = [
    "0",
    "1",
    "-1",
    "0.5",
    "1e-3",
    "nan",
    "inf",
    "1e308",
    "x",
    "",
    "10",
    "3",
    "1.5",
    "٣",
    "1e400",
]
_OPTIONS = {
    "--lrs": ["0.1", "0.1,0.2", "auto", "log:1e-3:1:3", "0.1:0.5:0.1", "log:1:1e-3:3", "0.1:0.5:0", "log:0:1:5",
              "1e309", ",", "0.1,,0.2", "-1", "0", "a:b:c", "log:1e-4:1:0", "log:1:2", "nan", "0.1:0.2:1e-18", "auto "],
    "--batch-size": _NUMBERS, "--seed": _NUMBERS, "--seeds": ["1", "2", "0", "-1", "x", "1.0"],
    "--val": _NUMBERS, "--momentum": _NUMBERS, "--weight-decay": _NUMBERS, "--threads": ["1", "2", "0", "-3", "x"],
    "--sampling": ["shuffle", "independent", "none", "", "Shuffle"], "--missing": ["error", "drop", "mean", "zero", ""],
    "--schedule": ["constant", "step", "cosine", "inverse-time", "linear", ""], "--dtype": ["float64", "float32", "int8", ""],
    "--engine": ["gram", "reference", "auto", "cuda", ""], "--target": ["y", "a", "", "nope", "é", "0"],
    "--features": ["a", "a,b", "", ",", "y", "nope", "a,a"], "--why": _NUMBERS, "--optimizer": ["sgd", "nope"],
    "--save": ["x.csv", "x.parquet", "x.json", "x.bmp", "nowhere/x.csv", "", ".", "x"], "--device": ["cpu"],
}  # fmt: skip
_FLAGS = ["--json", "--quiet", "--linear", "--no-standardize", "--nope", "--", "extra"]


def options(rng: random.Random, *, at_most: int = 5) -> list[str]:
    """Words for the command line, right and wrong."""
    words = []
    for _ in range(rng.randrange(at_most + 1)):
        if rng.random() < 0.2:
            words.append(rng.choice(_FLAGS))
        else:
            name = rng.choice(list(_OPTIONS))
            words += [name, rng.choice(_OPTIONS[name])]
    return words


class _Hostile:
    """Claims to be an array and fails at everything."""

    shape = (20, 3)

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError("no")


def _objects(rng: random.Random) -> list[Any]:
    return [
        None, True, 0, 1, -1, 3, 0.5, -0.0, 1e308, 1e-320, float("nan"), float("inf"), 10**400, 1 + 2j, "", "y", "auto",
        "é", b"x", [], [[]], [1, 2], [[1], [2, 3]], ["a"], {}, {"y": [1]}, set(), (), object(), np.float32(0.1), np.int64(3),
        np.array(3.0), np.datetime64("2020"), range(3), iter([0.1]), lambda step: 1.0, lambda: None, lambda step: -1.0,
        lambda step: "x", _array(rng), _array(rng).tolist(), np.ma.masked_array([1.0, 2.0], [False, True]),
    ]  # fmt: skip


_NAMES = ["lrs", "batch_size", "epochs", "seed", "seeds", "val", "sampling", "optimizer", "momentum", "weight_decay", "schedule",
          "missing", "standardize", "dtype", "engine", "threads", "target", "features"]  # fmt: skip


def _arguments(rng: random.Random) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Positional and keyword arguments for `learnrate.sweep`."""
    X = np.array([[rng.gauss(0, 1) for _ in range(3)] for _ in range(20)])
    given: tuple[Any, ...] = (X, X[:, 0].copy())
    if rng.random() < 0.5:
        given = tuple(
            rng.choice([*_objects(rng), _Hostile(), _array(rng)])
            for _ in range(rng.choice([1, 2, 2]))
        )
    named = {
        name: rng.choice(_objects(rng)) for name in rng.sample(_NAMES, rng.choice([0, 1, 1, 2, 3]))
    }
    rule = {name: named.pop(name) for name in ("momentum", "weight_decay") if name in named}
    if rule:
        named["optimizer"] = learnrate.SGD(**rule)
    # Huge but lawful requests are work, not faults.
    for name in ("epochs", "seeds", "threads"):
        if type(named.get(name)) is int and named[name] > 3:
            del named[name]
    return given, {"lrs": [0.1], "epochs": 1, "engine": "gram", **named}


ARGUMENTS = _arguments
