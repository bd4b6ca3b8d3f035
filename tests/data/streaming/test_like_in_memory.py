"""A table that is read in a stream becomes what it would become in memory: the same columns, numbers, words."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnrate._shapes import Array
from learnrate.data.prepare import prepare
from learnrate.data.prepared import Prepared
from learnrate.data.streaming.examples import from_stream
from learnrate.data.tables import read_table
from learnrate.errors import InputError

WRITERS: dict[str, Callable[[pl.DataFrame, Path], object]] = {
    ".csv": lambda frame, path: frame.write_csv(path),
    ".tsv": lambda frame, path: frame.write_csv(path, separator="\t"),
    ".parquet": lambda frame, path: frame.write_parquet(path),
    ".arrow": lambda frame, path: frame.write_ipc(path),
    ".jsonl": lambda frame, path: frame.write_ndjson(path),
}

NUMBERS = st.floats(-1e6, 1e6, width=32) | st.integers(-5, 5).map(float)
WORDS = st.sampled_from(["red", "green", "blue", "1", "2.5", "true", "x,y", 'q"', "missing"])


@st.composite
def columns(draw: st.DrawFn, n: int) -> list[Any]:
    """One column of a kind, with or without gaps."""
    kind = draw(st.sampled_from(["float", "int", "rows", "same", "word", "truth", "day", "name"]))
    values: list[Any]
    if kind == "rows":
        values = list(range(1, n + 1))
    elif kind == "same":
        values = [draw(st.sampled_from([7, 1.5, "a", True]))] * n
    elif kind == "name":
        values = [f"name {i}" for i in range(n)]
    else:
        one = {
            "float": NUMBERS,
            "int": st.integers(-3, 3),
            "word": WORDS,
            "truth": st.booleans(),
            "day": st.sampled_from(["2020-01-02", "2021-11-30"]),
        }[kind]
        values = draw(st.lists(one, min_size=n, max_size=n))
    if draw(st.integers(0, 3)) == 0:
        gaps = draw(st.lists(st.booleans(), min_size=n, max_size=n))
        values = [None if gap else value for gap, value in zip(gaps, values, strict=True)]
    return values


@st.composite
def frames(draw: st.DrawFn) -> pl.DataFrame:
    """A table with a numeric target ``y``, which may have gaps, and a few columns of all kinds."""
    n = draw(st.integers(2, 60))
    names = draw(
        st.lists(
            st.sampled_from(["a", "b", "Id", "order_id", "no", "when"]),
            min_size=1,
            max_size=4,
            unique=True,
        )
    )
    table = {name: draw(columns(n)) for name in names}
    y = draw(st.lists(NUMBERS, min_size=n, max_size=n))
    table["y"] = (
        [None if draw(st.integers(0, 20)) == 0 else v for v in y] if draw(st.booleans()) else y
    )
    return pl.DataFrame(table)


def outcome(make: Callable[[], Prepared]) -> Prepared | str:
    """What comes of it: examples, or the error's sentence."""
    try:
        return make()
    except InputError as error:
        return str(error)


def whole(prepared: Prepared, part: str = "train") -> tuple[Array, Array]:
    """All rows of a stored part."""
    assert prepared.stored is not None
    rows = getattr(prepared.stored, part)
    X, y = next(iter(rows.blocks(rows.n, [0])))
    return X, y


def assert_alike(memory: Prepared | str, stream: Prepared | str) -> None:
    if isinstance(memory, str) or isinstance(stream, str):
        assert memory == stream
        return
    for name in ("feature_names", "target_name", "left_out", "notes", "n", "held_out"):
        assert getattr(memory, name) == getattr(stream, name)
    assert dict(memory.references) == dict(stream.references)
    kind = memory.X_train.dtype
    tolerance = 1e-9 if kind == np.float64 else 2e-6
    X, y = whole(stream)
    assert X.dtype == kind
    np.testing.assert_allclose(X, memory.X_train, rtol=tolerance, atol=tolerance)
    assert (y == memory.y_train).all()
    if memory.X_val is not None:
        X, y = whole(stream, "val")
        np.testing.assert_allclose(X, memory.X_val, rtol=tolerance, atol=tolerance)
        assert (y == memory.y_val).all()
        assert memory.val_variance == pytest.approx(stream.val_variance, rel=1e-5, abs=1e-12)
    if memory.scaling is not None and stream.scaling is not None:
        np.testing.assert_allclose(stream.scaling.mean, memory.scaling.mean, rtol=1e-12, atol=1e-9)
        np.testing.assert_allclose(stream.scaling.scale, memory.scaling.scale, rtol=1e-9)


def compare(frame: pl.DataFrame, suffix: str, rows: int, text_bytes: int, **options: Any) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        mock.patch("learnrate.data.streaming.examples.batch_rows", return_value=rows),
        mock.patch("learnrate.data.delimited.TEXT_BYTES", text_bytes),
        mock.patch("learnrate.data.json_lines.TEXT_BYTES", text_bytes),
    ):
        path = Path(folder) / f"table{suffix}"
        WRITERS[suffix](frame, path)
        memory = outcome(lambda: prepare(read_table(path), "y", **options))
        stream = outcome(
            lambda: from_stream(path, "y", memory=10**8, cache=Path(folder) / "cache", **options)
        )
        assert_alike(memory, stream)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@settings(max_examples=40, deadline=None)
@given(
    frames(),
    st.integers(3, 70),
    st.sampled_from(["error", "drop", "mean"]),
    st.sampled_from([0.0, 0.0, 0.3]),
    st.booleans(),
    st.sampled_from(["float64", "float32"]),
)
def test_any_table(
    suffix: str,
    frame: pl.DataFrame,
    rows: int,
    missing: str,
    val: float,
    standardize: bool,
    dtype: str,
) -> None:
    compare(
        frame, suffix, rows, 1 << 20,
        missing=missing, val_fraction=val, standardize=standardize, dtype=dtype, seed=3,
    )  # fmt: skip


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize("missing", ["mean", "drop"])
def test_every_format_and_every_kind_of_column(suffix: str, missing: str) -> None:
    rng = np.random.default_rng(0)
    n = 800
    frame = pl.DataFrame(
        {
            "Id": np.arange(n),
            "key": rng.permutation(n) + 10**12,
            "store_id": rng.integers(0, 9, n),
            "far": rng.normal(1e6, 1.0, n),
            "huge": rng.normal(size=n) * 1e200,
            "word": [["a", "b", "c", None][i] for i in rng.integers(0, 4, n)],
            "mixed": [["1", "2", "x"][min(2, i // 350)] for i in range(n)],
            "late": [1.5 if i > 600 else None for i in range(n)],
            "name": [f"n{i}" for i in range(n)],
            "flag": rng.random(n) > 0.3,
            "when": [f"2020-01-{i % 28 + 1:02d}" for i in range(n)],
            "y": rng.normal(size=n),
        }
    ).with_columns(
        pl.when(pl.col("store_id") == 2).then(None).otherwise(pl.col("far")).alias("far")
    )
    if missing == "drop":
        frame = frame.drop("late")
    for val in (0.0, 0.25):
        compare(frame, suffix, 128, 16384, missing=missing, val_fraction=val, seed=1)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("a,y\n1,2\n1,2,3\n", "line 3"),
        ("a,y\n1,2\n3\n", "line 3"),
        ("a,y\n1,2\n3,inf\n4,5\n", "must be finite"),
        ("a,y\n1,x\n3,2\n4,5\n", "must be numeric"),
        ("a,y\n1,\n3,\n", "must have values"),
        ("a,a\n1,2\n", "name each column once"),
        ("a,y\n", "rows"),
        ("", "must hold a table"),
        ("1.5,2\n3,4\n", "names the columns"),
        ("a,y\n1,2\n", "at least 2 rows"),
        ("a,z\n1,2\n3,4\n", "target"),
        ("a,y\n1,1e39\n2,3\n3,1\n", "fit into float32"),
        ("a,y\n5,1\n5,2\n5,3\n", "at least 1 column"),
    ],
)
def test_what_is_wrong_with_a_table_is_said_in_one_line(
    tmp_path: Path, text: str, what: str
) -> None:
    path = tmp_path / "table.csv"
    path.write_text(text)
    target = None if "z" in text else "y"
    memory = outcome(lambda: prepare(read_table(path), target, dtype="float32"))
    stream = outcome(
        lambda: from_stream(path, target, memory=10**8, dtype="float32", cache=tmp_path)
    )
    assert isinstance(stream, str)
    assert what in stream
    assert "\n" not in stream
    assert memory == stream


def test_bytes_that_are_no_table(tmp_path: Path) -> None:
    for suffix in (*WRITERS, ".csv.gz"):
        path = tmp_path / f"table{suffix}"
        path.write_bytes(bytes(range(256)) * 40)
        found = outcome(lambda path=path: from_stream(path, "y", memory=10**8, cache=tmp_path))  # type: ignore[misc]
        assert isinstance(found, str), suffix
        assert str(path) in found


def test_an_option_that_cannot_be_used_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    path = tmp_path / "no such.csv"
    for options, what in (
        ({"missing": "men"}, "missing"),
        ({"val_fraction": 1.5}, "val"),
        ({"dtype": "int8"}, "dtype"),
    ):
        found = outcome(lambda options=options: from_stream(path, memory=10**8, **options))  # type: ignore[misc]
        assert what in str(found)


def test_files_one_below_the_other(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    frame = pl.DataFrame(
        {"a": rng.integers(0, 50, 30), "b": rng.normal(size=30), "y": rng.normal(size=30)}
    )
    frame[:10].write_csv(tmp_path / "1.csv")
    frame[10:20].select("y", "a", "b").write_csv(tmp_path / "2.csv")
    frame[20:].write_parquet(tmp_path / "3.parquet")
    several = [tmp_path / "1.csv", tmp_path / "2.csv", tmp_path / "3.parquet"]
    stream = outcome(lambda: from_stream(several, "y", memory=10**8, cache=tmp_path))
    assert_alike(prepare(read_table(several), "y"), stream)
    by_pattern = outcome(lambda: from_stream(tmp_path / "?.csv", "y", memory=10**8, cache=tmp_path))
    assert_alike(prepare(read_table(tmp_path / "?.csv"), "y"), by_pattern)
    frame[:5].rename({"b": "c"}).write_csv(tmp_path / "4.csv")
    odd = outcome(lambda: from_stream(tmp_path / "?.csv", "y", memory=10**8, cache=tmp_path))
    assert odd == outcome(lambda: prepare(read_table(tmp_path / "?.csv"), "y"))
    assert "same columns" in str(odd)


def test_gzipped_files(tmp_path: Path) -> None:
    import gzip

    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(b"a,y\n1,2\n2,3\n5,4\n"))
    stream = outcome(lambda: from_stream(tmp_path / "t.csv.gz", memory=10**8, cache=tmp_path))
    assert_alike(prepare(read_table(tmp_path / "t.csv.gz")), stream)


def test_the_fingerprint_is_that_of_the_same_numbers_in_memory(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    frame = pl.DataFrame({"a": rng.normal(size=50), "y": rng.normal(size=50)})
    frame.write_parquet(tmp_path / "t.parquet")
    for val in (0.0, 0.2):
        options: dict[str, Any] = {"standardize": False, "val_fraction": val}
        stream = from_stream(tmp_path / "t.parquet", memory=10**8, cache=tmp_path, **options)
        assert stream.fingerprint == prepare(frame, **options).fingerprint
