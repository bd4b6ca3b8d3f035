"""Draws the packages of learnrate by rank, into docs/figures/house.svg.

From the repository's root: ``python -m docs.house``, after a change of the ranks in tests/test_architecture.py.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from tests.test_architecture import RANKS

PICTURE = Path(__file__).parent / "figures" / "house.svg"
WIDTH, HIGH, GAP, LEFT = 640, 34, 8, 84
FONT, LETTER = 13.0, 0.62
"""Size of the letters, and how wide one is at most beside its size: a name must not leave its room."""
PACKAGES = {path.name for path in (Path(__file__).parents[1] / "src" / "learnrate").iterdir()}


def storeys() -> list[tuple[str, list[str]]]:
    """From the top: the rank, and its rooms; the halves of rank 0 are one storey."""
    rooms = defaultdict(list)
    for name, rank in RANKS.items():
        if not name.startswith("__") and {name, f"{name}.py"} & PACKAGES:
            rooms[int(rank)].append(name if name in PACKAGES else f"{name}.py")
    return [(str(rank), sorted(rooms[rank])) for rank in sorted(rooms, reverse=True)]


def house() -> str:
    """The drawing: a storey for each rank, and an arrow in the direction of imports."""
    floors = storeys()
    bottom = len(floors) * (HIGH + GAP) + GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom}" role="img"',
        f'font-family="system-ui, sans-serif" font-size="{FONT:g}">',
        "<title>The packages of learnrate by rank; a file imports only from lower ranks</title>",
        f'<rect width="{WIDTH}" height="{bottom}" fill="#ffffff"/>',
        f'<path d="M22 {GAP + 4} V{bottom - 22}" stroke="#b5367a" stroke-width="2"/>',
        f'<path d="M14 {bottom - 24} L22 {bottom - 8} L30 {bottom - 24} Z" fill="#b5367a"/>',
        f'<text transform="translate(42 {bottom / 2}) rotate(-90)" text-anchor="middle"',
        'fill="#b5367a">imports</text>',
    ]
    for number, (rank, rooms) in enumerate(floors):
        y = GAP + number * (HIGH + GAP)
        middle = y + HIGH / 2 + 4.5
        parts.append(f'<text x="{LEFT - 12}" y="{middle}" text-anchor="end">{rank}</text>')
        width = (WIDTH - LEFT - GAP * len(rooms)) / len(rooms)
        longest = max(map(len, rooms))
        font = min(FONT, (width - GAP) / (LETTER * longest))
        size = "" if font == FONT else f' font-size="{font:.1f}"'
        for place, room in enumerate(rooms):
            x = LEFT + place * (width + GAP)
            parts.append(
                f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{HIGH}" rx="4" '
                'fill="#eef2fa" stroke="#3b528b"/>'
                f'<text x="{x + width / 2:.1f}" y="{middle}" text-anchor="middle"{size}>{room}</text>'
            )
    return "\n".join([*parts, "</svg>"]) + "\n"


if __name__ == "__main__":
    PICTURE.write_text(house(), encoding="utf-8")
