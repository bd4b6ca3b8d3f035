"""Estimates of the time that each engine takes, in seconds, for ``engine="auto"``.

The constants were measured on one core of a processor of 2022. A factor of two is accurate enough: if two engines are
that close, either is a good choice.
"""

from __future__ import annotations

import importlib.util
import sys

import numpy as np

from learnrate.linear import fused, gram
from learnrate.linear.fused import Way
from learnrate.linear.kernel_cache import is_kept

__all__ = ["fused_seconds", "gram_seconds", "outputs_seconds", "rows_seconds", "start_seconds"]

_FLOP = {"float64": 1 / 40e9, "float32": 1 / 80e9}  # in products of matrices
_NUMPY = 2.0  # the factor by which BLAS is slower on matrices as small as these
_CALL = 0.8e-6  # a call of a NumPy function on a tiny array
_IMPORT, _LOAD = 0.35, 0.1
_COMPILE = {Way.GRAMS: 6.0, Way.ROWS: 3.0, Way.OUTPUTS: 6.0}


def gram_seconds(
    n: int, d: int, batch_size: int, lanes: int, epochs: int, dtype: np.dtype[np.floating]
) -> float:
    """Estimate for `learnrate.linear.gram.GramEngine`.

    ``0.5 ms``, and for each epoch ``15 ns`` per row and ``1.5 ns`` per number that is gathered, the
    operations of `learnrate.linear.gram.gram_pays`, and three calls per step with Gram matrices (0.8 if
    several steps are one product), or thirty with rows.
    """
    D, B, K = d + 1, batch_size, lanes
    steps, flop = n / B, _NUMPY * _FLOP[dtype.name]
    if gram.gram_pays(d, B, K):
        work = (4 * n * D**2 + 2 * steps * D**2 * K) * flop
        calls = steps * _CALL * (0.8 if D <= 8 else 3 + 1e-3 * D * K)
    else:
        work, calls = 6 * n * D * K * flop, 30 * steps * _CALL
    return 0.5e-3 + epochs * (n * (15e-9 + 1.5e-9 * D) + work + calls)


def fused_seconds(
    n: int, d: int, batch_size: int, lanes: int, epochs: int, dtype: np.dtype[np.floating]
) -> float:
    """Estimate for `learnrate.linear.fused.FusedEngine` on one thread, once it has started.

    ``0.3 ms``, and for each epoch ``15 ns`` per row and ``0.4 ns`` per number that is gathered, ``0.1 µs``
    per step, and the operations of `learnrate.linear.fused.gram_pays`.
    """
    D, B, K = d + 1, batch_size, -(-lanes // 16) * 16
    flop = _FLOP[dtype.name]
    if fused.gram_pays(d, B, lanes):
        work = n * ((D + 1) * (D + 9) + 2 * D**2 * K / B) * flop
    else:
        work = 6 * n * D * K * flop
    return 0.3e-3 + epochs * (n * (15e-9 + 0.4e-9 * D) + n / B * 0.1e-6 + work)


def rows_seconds(
    n: int, d: int, batch_size: int, columns: int, epochs: int, dtype: np.dtype[np.floating]
) -> float:
    """Estimate for `learnrate.linear.rows.RowsEngine`, of a loss that is not squared, by SGD.

    ``0.5 ms``, and for each epoch ``15 ns`` per row, ``1.5 ns`` per number that is gathered, ``15 ns`` for each output of
    a row in one of the ``columns`` (outputs times lanes), four products of rows and columns in the type, two in float64, and
    twenty calls a step.
    """
    D, work = d + 1, n * (d + 1) * columns
    products = _NUMPY * (4 * work * _FLOP[dtype.name] + 2 * work * _FLOP["float64"])
    outputs = n * columns * 15e-9
    return 0.5e-3 + epochs * (
        n * (15e-9 + 1.5e-9 * D) + outputs + products + n / batch_size * 20 * _CALL
    )


def outputs_seconds(
    n: int, d: int, batch_size: int, columns: int, epochs: int, dtype: np.dtype[np.floating]
) -> float:
    """Estimate for `learnrate.linear.fused.FusedEngine` for a loss that is not squared, once it has started.

    ``0.3 ms``, and for each epoch ``15 ns`` per row, ``0.4 ns`` per number that is gathered, ``0.1 µs`` per step, three
    products of rows and columns, and a hundred operations for each output in a column.
    """
    D, K = d + 1, -(-columns // 16) * 16
    work = n * K * (6 * D + 100) * _FLOP[dtype.name]
    return 0.3e-3 + epochs * (n * (15e-9 + 0.4e-9 * D) + n / batch_size * 0.1e-6 + work)


def start_seconds(way: Way, dtype: np.dtype[np.floating]) -> float:
    """The time until the fused engine can train; infinite without Numba.

    That is the time to import Numba and to compile or load the kernels, unless this process has already done so.
    """
    name = fused.kernels_name(dtype, way)
    if name in fused.READY:
        return 0.0
    imported = sys.modules.get("numba") is not None
    if not imported and importlib.util.find_spec("numba") is None:
        return float("inf")
    return (0.0 if imported else _IMPORT) + (_LOAD if is_kept(name) else _COMPILE[way])
