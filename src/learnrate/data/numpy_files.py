"""Reading files of NumPy: ``.npy`` with one matrix, ``.npz`` with the arrays ``X`` and ``y``."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from learnrate.data.blocks import TableBlock
from learnrate.data.frames import Frame
from learnrate.data.options import Table
from learnrate.data.sources import Source, parsing, refuse_too_large
from learnrate.data.wording import abridged
from learnrate.errors import DataError

__all__ = ["read_npy", "read_npz"]

_PICKLED = (
    "{label} must hold plain numbers. Got Python objects instead, which only pickle could load, and "
    "pickle can run any code; save numbers: array.astype(float)."
)


def read_npy(
    source: Source, rows: int | None, options: Table, notes: list[str]
) -> Iterator[TableBlock]:
    """Read one matrix, whose columns are named ``"0"``, ``"1"``, …, as one block."""
    with parsing(source.label, "a NumPy .npy file"):
        matrix = _plain(_load(source), f"The matrix in {source.label}", ndim=2)
        yield TableBlock(_frame(matrix))


def read_npz(
    source: Source, rows: int | None, options: Table, notes: list[str]
) -> Iterator[TableBlock]:
    """Read features ``"0"``, ``"1"``, … from the array ``X`` and the target ``"y"`` from ``y``, as one block."""
    import polars as pl

    with parsing(source.label, "a NumPy .npz file"):
        arrays = _load(source, archive=True)
        X = _plain(arrays["X"], f"X in {source.label}", ndim=2)
        y = _plain(arrays["y"], f"y in {source.label}", ndim=1)
        if len(X) != len(y):
            raise DataError(
                f"X and y in {source.label} must have the same length. Got {len(X):,} rows of X and "
                f"{len(y):,} labels; save the arrays of one data set."
            )
        yield TableBlock(_frame(X).with_columns(pl.Series("y", y)))


def _load(source: Source, *, archive: bool = False) -> Any:
    """Read without pickle, and without NumPy's warnings about files of Python 2."""
    with source.open() as stream, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            if not archive:
                return np.lib.format.read_array(stream, allow_pickle=False)
            if stream.read(2) != b"PK":  # NumPy would read anything else as a pickle
                raise ValueError("it is not a zip archive")
            stream.seek(0)
            with np.load(stream, allow_pickle=False) as held:
                names = held.files
                if not {"X", "y"} <= set(names):
                    raise DataError(
                        f"{source.label} must hold the arrays X and y. Got {abridged(names) or 'none'}"
                        " instead; save them with numpy.savez(file, X=X, y=y)."
                    )
                sizes = {info.filename: info.file_size for info in held.zip.infolist()}
                refuse_too_large(source.label, sum(sizes.get(f"{name}.npy", 0) for name in "Xy"))
                return {name: held[name] for name in ("X", "y")}
        except ValueError as error:
            if "Object arrays" in str(error):
                raise DataError(_PICKLED.format(label=source.label)) from error
            raise


def _plain(array: Any, label: str, *, ndim: int) -> Any:
    """Check type and shape of an array; returns it in a type that Polars has."""
    if array.dtype.kind not in "biuf":
        raise DataError(
            f"{label} must hold real numbers. Got the type {array.dtype} instead; "
            "save a numeric array, or a table with text columns as .csv or .parquet."
        )
    if ndim == 1 and array.ndim == 2 and array.shape[1] == 1:
        array = array.ravel()
    if array.ndim != ndim:
        shape = "(rows, columns)" if ndim == 2 else "(rows,)"
        raise DataError(
            f"{label} must have the shape {shape}. Got {array.shape} instead; reshape it and save "
            "it again."
        )
    if array.dtype.kind == "f" and array.itemsize not in (4, 8):
        return array.astype(np.float32 if array.itemsize == 2 else np.float64)
    return array


def _frame(matrix: Any) -> Frame:
    import polars as pl

    return pl.DataFrame(
        {str(j): np.ascontiguousarray(matrix[:, j]) for j in range(matrix.shape[1])}
    )
