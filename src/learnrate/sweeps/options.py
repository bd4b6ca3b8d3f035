"""`OutOfCore`, the options for tables that are larger than memory."""

from __future__ import annotations

import os
from dataclasses import dataclass

from learnrate.data.streaming.budget import parse_memory
from learnrate.errors import OptionError, option

__all__ = ["OutOfCore", "as_out_of_core"]


@dataclass(frozen=True)
class OutOfCore:
    """How to train on a table in files that is larger than memory: in blocks, from a cache on disk.

    Attributes
    ----------
    budget : str, number or None
        Memory to use, such as ``"2GB"`` or a number of bytes. None trains in memory and visits the examples in
        blocks of ``block_size`` rows.
    block_size : int, optional
        Rows per block: in every epoch blocks are visited in a new order, and rows are shuffled inside them. By
        default as many as fit the budget.
    cache : path, optional
        The folder for caches; by default the user's cache folder.

    Examples
    --------
    >>> OutOfCore("2GB", block_size=100_000)
    OutOfCore(budget='2GB', block_size=100000, cache=None)
    """

    budget: str | float | None = None
    block_size: int | None = None
    cache: str | os.PathLike[str] | None = None

    def __post_init__(self) -> None:
        """Check the options."""
        if self.cache is not None and self.budget is None:
            raise OptionError(
                f"{option('cache')} must come with memory, the budget. Got cache alone; give both."
            )
        if self.budget is not None:
            parse_memory(self.budget)

    @property
    def bytes(self) -> int | None:
        """The budget in bytes; None without one."""
        return None if self.budget is None else parse_memory(self.budget)


def as_out_of_core(memory: str | float | OutOfCore | None) -> OutOfCore:
    """An `OutOfCore`, also from a budget alone."""
    return memory if isinstance(memory, OutOfCore) else OutOfCore(memory)
