"""A synthetic table of houses. ``python -m learnrate.data.make_houses houses.csv`` writes it to a file.

The random numbers come from a small generator in this file, so that they do not depend on versions of packages.
"""

from __future__ import annotations

import datetime
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from learnrate.data.frames import Frame

__all__ = ["houses"]

_ROWS = 200
_DISTRICTS = {"centre": 60, "harbour": 35, "north": -10, "south": 0}  # effect on the price


def _uniform(seed: int) -> Iterator[float]:
    """Random numbers between 0 and 1: MINSTD, Park and Miller (1988), Communications of the ACM 31(10), 1192–1201."""
    state = seed
    while True:
        state = state * 48_271 % 2_147_483_647
        yield state / 2_147_483_647


def houses() -> Frame:
    """The table of 200 houses."""
    import polars as pl

    draw = _uniform(20_241)
    rows: list[dict[str, Any]] = []
    for _ in range(_ROWS):
        area = round(40 + 160 * next(draw))
        rooms = max(1, round(area / 30 + 2 * next(draw) - 1))
        built = int(1900 + 124 * next(draw))
        district = list(_DISTRICTS)[int(4 * next(draw) ** 1.3)]
        garden = round(400 * next(draw) ** 2)
        sold = datetime.date(2021, 1, 1) + datetime.timedelta(days=int(1_095 * next(draw)))
        noise = sum(next(draw) for _ in range(12)) - 6  # nearly normal, standard deviation 1
        worth = 30 + 2.4 * area + 6 * rooms + 0.35 * (built - 1900) + 0.08 * garden
        worth += _DISTRICTS[district] + 9 * (sold.year - 2021)
        price = worth + 20 * noise
        fast = price / worth + 0.1 * (next(draw) - 0.5) < 1.01
        rows.append(
            {
                "area": area,
                "rooms": rooms,
                "built": built,
                "district": district,
                "garden": None if next(draw) < 0.05 else garden,
                "sold": sold,
                "fast": "yes" if fast else "no",
                "price": round(price, 1),
            }
        )
    return pl.DataFrame(rows)


if __name__ == "__main__":
    houses().write_csv(Path(sys.argv[1]))
