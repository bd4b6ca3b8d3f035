"""Numbers and names as text."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from learnrate._shapes import Array, Float

__all__ = ["clean", "clip", "format_shape", "formats_together"]

_DIGITS = 4
_JOINERS = "\u200c\u200d"  # shape letters in Persian, Hindi and emoji, and show nothing themselves


def formats_together(*arrays: Any) -> list[list[str]]:
    """The numbers of each array as text, all with the same number of decimals, so that they can be compared.

    The largest number has at least four digits, or fewer if fewer are exact. If it is very large or very small, all are
    written with an exponent. Numbers that are not finite are ``∞``, ``-∞`` and ``nan``.
    """
    flat = [np.asarray(array, dtype=np.float64).ravel() for array in arrays]
    together = np.concatenate(flat)
    spec = _spec(together[np.isfinite(together)])
    return [[_number(float(value), spec) for value in values] for values in flat]


def _spec(finite: Float[Array, " size"]) -> str:
    """The format specification for these numbers."""
    largest = float(np.abs(finite).max(initial=0.0))
    exponent = math.floor(math.log10(largest)) if largest else 0
    if not -5 <= exponent < 7:
        return f".{_DIGITS - 1}e"
    decimals = max(_DIGITS - 1 - exponent, 0)
    while decimals and (np.round(finite, decimals - 1) == finite).all():
        decimals -= 1
    return f".{decimals}f"


def _number(value: float, spec: str) -> str:
    if not math.isfinite(value):
        return "nan" if math.isnan(value) else "∞" if value > 0 else "-∞"
    return format(value, "z" + spec)  # z: no minus before 0.000


def format_shape(shape: tuple[int, ...]) -> str:
    """``3 × 2``, or ``3`` for a vector."""
    return " × ".join(f"{size:,}" for size in shape)


def clean(name: str) -> str:
    """A name from the user's data without characters that would break a line, a terminal or an XML file."""
    return "".join(
        c if c.isprintable() or c in _JOINERS else " " if c.isspace() else "\ufffd" for c in name
    )


def clip(text: str, width: int) -> str:
    """``text`` cut to ``width`` columns of a monospaced font, with ``…`` at the end if it was cut."""
    from rich.cells import cell_len, set_cell_size

    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + "…"
