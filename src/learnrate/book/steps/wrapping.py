"""Breaking a paragraph into lines, Chinese text too: Rich breaks at spaces, which Chinese has few of."""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["line_breaks"]

_WIDE = "\u2e80-\u9fff\uac00-\ud7ff\uf900-\ufaff\uff00-\uff60"
_OPENING = "（《「“"
_CLOSING = "，。、；：？！）》」”"
_UNIT = re.compile(rf"[{_OPENING}]*(?:[{_WIDE}]|[^ \n{_WIDE}]+)[{_CLOSING}]*[ \n]*|[ \n]+")
"""What may not be broken: a Chinese character or a run of others, with its punctuation and space."""


def line_breaks(text: str, width: int) -> list[int]:
    """Offsets at which to break ``text`` into lines of at most ``width`` columns.

    A line never starts with closing punctuation. A word longer than a line is left as it is.
    """
    from rich.cells import cell_len

    breaks: list[int] = []
    column = 0
    for start, unit in _units(text):
        if column and column + cell_len(unit.rstrip()) > width:
            breaks.append(start)
            column = 0
        column += cell_len(unit)
    return breaks


def _units(text: str) -> Iterator[tuple[int, str]]:
    for match in _UNIT.finditer(text):
        yield match.start(), match.group()
