"""NumPy's own files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from learnrate.data import read_table
from learnrate.data.prepare import prepare
from learnrate.errors import DataError

X = np.array([[1.5, 2.0], [3.0, -4.0], [5.0, 0.5]])


def refusal(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        read_table(path)
    message = str(caught.value)
    assert "\n" not in message
    assert path.name in message
    return message


@pytest.mark.parametrize("dtype", ["f8", "f4", "f2", ">f8", "i4", "u1", "?", np.longdouble])
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_matrix(dtype: Any, order: Any, tmp_path: Path) -> None:
    matrix = np.asarray(X > 2 if dtype == "?" else np.abs(X), dtype=dtype, order=order)
    np.save(tmp_path / "m.npy", matrix)
    frame = read_table(tmp_path / "m.npy")
    assert frame.columns == ["0", "1"]
    np.testing.assert_array_equal(frame.to_numpy(), matrix.astype(np.float64))


def test_features_and_labels(tmp_path: Path) -> None:
    for y in (np.array([1, 2, 3]), np.array([[1], [2], [3]])):
        np.savez(tmp_path / "t.npz", X=X, y=y, other=np.arange(7))
        frame = read_table(tmp_path / "t.npz")
        assert frame.columns == ["0", "1", "y"]
        data = prepare(frame, standardize=False)
        assert data.target_name == "y"
        np.testing.assert_array_equal(data.X_train, X)
        np.testing.assert_array_equal(data.y_train, [1, 2, 3])


def test_compressed_and_float32(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "t.npz", X=X.astype(np.float32), y=X[:, 0])
    assert read_table(tmp_path / "t.npz").schema["0"] == pl.Float32


def test_missing_values_go_through(tmp_path: Path) -> None:
    np.savez(tmp_path / "t.npz", X=np.where(X == 3, np.nan, X), y=X[:, 1])
    assert prepare(read_table(tmp_path / "t.npz"), missing="drop").X_train.shape == (2, 2)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"X": X}, ["X and y", "Got X instead", "numpy.savez"]),
        ({"a": X, "b": X}, ["Got a, b instead"]),
        ({"X": X, "y": np.ones(4)}, ["same length", "3 rows", "4 labels"]),
        ({"X": X[:, 0], "y": np.ones(3)}, ["X in", "(rows, columns)", "(3,)"]),
        ({"X": X, "y": X}, ["y in", "(rows,)", "(3, 2)"]),
        ({"X": X.astype(complex), "y": np.ones(3)}, ["real numbers", "complex128"]),
        ({"X": X.astype(str), "y": np.ones(3)}, ["real numbers", "<U"]),
        ({"X": X[:0], "y": np.ones(0)}, ["Got 0 rows"]),
    ],
)
def test_wrong_arrays(arrays: dict[str, Any], words: list[str], tmp_path: Path) -> None:
    np.savez(tmp_path / "t.npz", **arrays)
    message = refusal(tmp_path / "t.npz")
    for word in words:
        assert word in message


def test_wrong_matrices(tmp_path: Path) -> None:
    path = tmp_path / "t.npy"
    np.save(path, np.arange(3.0))
    assert "(3,)" in refusal(path)
    np.save(path, np.zeros((2, 2, 2)))
    assert "(2, 2, 2)" in refusal(path)
    np.save(path, np.array(["a", "b"]))
    assert "real numbers" in refusal(path)
    np.save(path, np.zeros(3, dtype=[("a", "f8"), ("b", "f8")]))
    assert "real numbers" in refusal(path)


class Loud:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return (open, (str(self.path), "w"))


def test_pickled_objects_are_refused_and_never_loaded(tmp_path: Path) -> None:
    objects = np.array([Loud(tmp_path / "loaded")] * 2, dtype=object)
    np.save(tmp_path / "t.npy", objects, allow_pickle=True)
    np.savez(tmp_path / "t.npz", allow_pickle=True, X=objects, y=np.ones(2))
    (tmp_path / "p.npz").write_bytes(b"\x80\x04cos\nsystem\n.")
    for name in ("t.npy", "t.npz"):
        assert "pickle" in refusal(tmp_path / name)
    refusal(tmp_path / "p.npz")
    assert not (tmp_path / "loaded").exists()


def test_one_under_the_name_of_the_other(tmp_path: Path) -> None:
    np.save(tmp_path / "t.npy", X)
    (tmp_path / "t.npy").rename(tmp_path / "t.npz")
    assert "not a zip archive" in refusal(tmp_path / "t.npz")


def test_a_cut_file(tmp_path: Path) -> None:
    np.save(tmp_path / "t.npy", X)
    content = (tmp_path / "t.npy").read_bytes()
    (tmp_path / "t.npy").write_bytes(content[:-9])
    assert "damaged" in refusal(tmp_path / "t.npy")


def test_a_size_that_no_memory_holds(tmp_path: Path) -> None:
    np.save(tmp_path / "t.npy", X)
    content = (tmp_path / "t.npy").read_bytes()
    huge = content.replace(b"(3, 2), }" + b" " * 15, b"(3" + b"0" * 15 + b", 2), }")
    assert len(huge) == len(content)
    assert huge != content
    (tmp_path / "t.npy").write_bytes(huge)
    refusal(tmp_path / "t.npy")
