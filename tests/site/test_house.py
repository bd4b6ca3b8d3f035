"""docs/figures/house.svg shows the ranks that the imports are held to."""

from __future__ import annotations

import re

from docs.house import FONT, LETTER, PICTURE, house, storeys


def test_the_picture_shows_todays_ranks() -> None:
    assert PICTURE.read_text(encoding="utf-8") == house(), "run python -m docs.house"


def test_no_name_leaves_its_room() -> None:
    """By the width of the widest letters of a sans-serif font."""
    rooms = re.findall(
        r'<rect x="[\d.]+" y="\d+" width="([\d.]+)".*?/><text[^>]*?(?: font-size="([\d.]+)")?>([^<]+)<',
        house(),
    )
    assert len(rooms) == sum(len(names) for _, names in storeys())
    for width, size, name in rooms:
        assert len(name) * LETTER * float(size or FONT) <= float(width), name
