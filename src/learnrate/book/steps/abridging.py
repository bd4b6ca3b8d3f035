"""Long lists without their middle, and the number of entries that are left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from learnrate._shapes import Array, Int

__all__ = ["Omitted", "Shown", "abridge", "largest", "shown"]

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


def largest(gradients: Mapping[str, Array], most: int) -> dict[str, Int[Array, " k"]]:
    """Indices of the elements with the largest gradients: the same number for each parameter, about ``most`` in all."""
    each = max(most // max(len(gradients), 1), 1)
    found = {}
    for name, gradient in gradients.items():
        size = np.nan_to_num(np.abs(gradient.ravel().astype(float)), nan=np.inf)
        found[name] = np.sort(np.argsort(-size, kind="stable")[:each])
    return found
