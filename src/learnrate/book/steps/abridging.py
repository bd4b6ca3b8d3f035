"""Leaving out the middle of long lists, with the count of what is left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

__all__ = ["Omitted", "Shown", "abridge", "shown"]

T = TypeVar("T")


class Omitted(int):
    """Stands for so many entries left out in the middle of a list."""


@dataclass(frozen=True)
class Shown:
    """Which entries of a long list are shown: the first and the last, never all but a single one.

    Attributes
    ----------
    kept : list of int
        Their places.
    hidden : int
        How many are left out between the first ``before`` of them and the rest.
    before : int
    """

    kept: list[int]
    hidden: int
    before: int

    def with_gap(self, entries: Iterable[T]) -> list[T | Omitted]:
        """What belongs to the kept entries, and an `Omitted` where others are left out."""
        found: list[T | Omitted] = list(entries)
        if self.hidden:
            found.insert(self.before, Omitted(self.hidden))
        return found


def shown(count: int, limit: int) -> Shown:
    """Which of ``count`` entries fit where there is room for ``limit``, the gap being one of them."""
    if count <= limit:
        return Shown(list(range(count)), 0, count)
    last = (limit - 1) // 2
    first = limit - 1 - last
    return Shown([*range(first), *range(count - last, count)], count - first - last, first)


def abridge(items: Sequence[T], limit: int) -> list[T | Omitted]:
    """``items``, or their first and last with an `Omitted` between: ``limit`` entries with that one."""
    part = shown(len(items), limit)
    return part.with_gap(items[i] for i in part.kept)
