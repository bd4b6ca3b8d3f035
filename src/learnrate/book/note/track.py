"""The range of a slider, coloured by what its values will do, with limits and the chosen value marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from learnrate.book.note.catalogue import Texts
from learnrate.book.note.plot import Axis, render

__all__ = ["Mark", "Track", "Zone"]


_ROOM = 110.0
"""For the words of a mark."""


@dataclass(frozen=True)
class Zone:
    """A part of the range, up to a value: the name is a class of ``colours.css``, the words stand in it."""

    name: str
    high: float
    words: str


@dataclass(frozen=True)
class Mark:
    """A value with its name below the track."""

    value: float
    words: str


@dataclass(frozen=True)
class Track:
    """A logarithmic range with zones.

    Attributes
    ----------
    name, title : str
        Unique on the page; the text alternative.
    low, high : float
        Its ends.
    zones : sequence of Zone
        From below; what lies beyond the ends is cut off.
    marks : sequence of Mark
    chosen : float
    """

    name: str
    title: str
    low: float
    high: float
    zones: Sequence[Zone]
    marks: Sequence[Mark]
    chosen: float
    width: float = 480.0

    @classmethod
    def of_rates(
        cls,
        name: str,
        title: str,
        lrs: Sequence[float],
        zones: Sequence[str],
        marks: Sequence[Mark],
        chosen: int,
        t: Texts,
    ) -> Track:
        """A track of rates, each with the name of its zone; borders lie half-way between them."""
        parts = [
            Zone(
                zone,
                float(np.sqrt(lrs[i] * lrs[i + 1])) if i + 1 < len(lrs) else np.inf,
                t(f"zone_{zone}"),
            )
            for i, zone in enumerate(zones)
            if i + 1 == len(zones) or zones[i + 1] != zone
        ]
        ends = float(lrs[0]) / 1.05, float(lrs[-1]) * 1.05
        return cls(name, title, *ends, parts, marks, float(lrs[chosen]))

    def place(self, value: float) -> float:
        """Where a value lies, in the coordinates of the drawing."""
        share = float(Axis("", self.low, self.high, log=True).share(value)) if value > 0 else 0.0
        return 12 + min(max(share, 0.0), 1.0) * (self.width - 24)

    def parts(self) -> list[tuple[Zone, float, float]]:
        """The zones that can be seen, from where to where."""
        found, left = [], self.place(self.low)
        for zone in self.zones:
            right = self.place(zone.high)
            if right > left:
                found.append((zone, left, right))
                left = right
        return found

    def seen_marks(self) -> list[tuple[Mark, float, int]]:
        """The marks inside the range, where they are, and in which row their words have room."""
        found: list[tuple[Mark, float, int]] = []
        for mark in sorted(self.marks, key=lambda mark: mark.value):
            if self.low < mark.value < self.high:
                x = self.place(mark.value)
                near = bool(found) and found[-1][2] == 0 and x - found[-1][1] < _ROOM
                found.append((mark, x, int(near)))
        return found

    def zone(self) -> Zone:
        """The one in which the chosen value lies."""
        return next((zone for zone in self.zones if self.chosen < zone.high), self.zones[-1])

    def svg(self) -> str:
        """The drawing."""
        return render("track.svg", track=self)
