"""Long lists without their middle, and the number of entries that are left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

__all__ = ["Omitted", "Shown", "abridge", "shown"]

T = TypeVar("T")


class Omitted(int):
    """The number of entries that are left out at this place of a list."""


@dataclass(frozen=True)
class Shown:
    """Which entries of a list are shown: all, or the first and the last ones.

    Attributes
    ----------
    kept : list of int
        The indices of the entries that are shown.
    hidden : int
        Number of entries that are left out.
    before : int
        Number of shown entries before the gap.
    """

    kept: list[int]
    hidden: int
    before: int

    def with_gap(self, entries: Iterable[T]) -> list[T | Omitted]:
        """``entries``, one for each kept index, with an `Omitted` at the gap."""
        found: list[T | Omitted] = list(entries)
        if self.hidden:
            found.insert(self.before, Omitted(self.hidden))
        return found


def shown(count: int, limit: int) -> Shown:
    """Which of ``count`` entries are shown if at most ``limit`` are, counting the gap as one."""
    if count <= limit:
        return Shown(list(range(count)), 0, count)
    last = (limit - 1) // 2
    first = limit - 1 - last
    return Shown([*range(first), *range(count - last, count)], count - first - last, first)


def abridge(items: Sequence[T], limit: int) -> list[T | Omitted]:
    """``items``, or the first and the last ones with an `Omitted` between them, ``limit`` entries in all."""
    part = shown(len(items), limit)
    return part.with_gap(items[i] for i in part.kept)
