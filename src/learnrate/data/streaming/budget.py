"""The sizes of blocks that fit into a memory budget."""

from __future__ import annotations

import re

from learnrate.errors import OptionError, option

__all__ = ["batch_rows", "block_rows", "bytes_of", "parse_memory"]

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_UNITS |= {f"{unit}I": 1024**power for power, unit in enumerate("KMGT", start=1)}
_LEAST_BYTES = 16 * 10**6
_BLOCK_SHARE = 0.6  # of the budget, for two blocks and the order of their rows
_BATCH_SHARE = 0.1  # of the budget, for a block of the table, of which there are several copies


def parse_memory(memory: str | float | int) -> int:
    """The number of bytes of ``"2GB"``, ``"500 MB"``, ``"1.5GiB"`` or a number.

    Raises
    ------
    OptionError
        If it is not a size, or less than 16 MB.
    """
    found = re.fullmatch(r"\s*([0-9.]+(?:e[0-9]+)?)\s*([KMGT]?I?)B?\s*", str(memory).upper(), re.I)
    try:
        size = float(found[1]) * _UNITS[found[2].upper()] if found else 0.0
    except (KeyError, ValueError):
        size = 0.0
    if not _LEAST_BYTES <= size < 1e18:
        raise OptionError(
            f"{option('memory')} must be a size of at least 16MB, such as 500MB or 2GB. Got {memory!r} instead."
        )
    return int(size)


def block_rows(memory: int, d: int, itemsize: int) -> int:
    """Rows of a block: the largest power of two for which two blocks and their order take at most 60 % of the budget."""
    rows = max(1, int(_BLOCK_SHARE * memory) // bytes_of(1, d, itemsize))
    return int(1 << (rows.bit_length() - 1))


def bytes_of(rows: int, d: int, itemsize: int) -> int:
    """Bytes of two blocks with this number of rows, and of the order of their rows."""
    return rows * (2 * (d + 1) * itemsize + 16)


def batch_rows(memory: int, columns: int) -> int:
    """Rows of a table that are read at a time while it is prepared."""
    return max(256, min(1 << 17, int(_BATCH_SHARE * memory) // (32 * max(1, columns))))
