"""docs/figures/house.svg shows the ranks that the imports are held to."""

from __future__ import annotations

from docs.house import PICTURE, house


def test_the_picture_shows_todays_ranks() -> None:
    assert PICTURE.read_text(encoding="utf-8") == house(), "run python -m docs.house"
