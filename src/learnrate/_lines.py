"""Text broken into lines, also in Chinese, which has no spaces."""

from __future__ import annotations

import re
import textwrap

__all__ = ["line_breaks", "printable", "width_of", "wrapped"]

_WIDE = "\u2e80-\u9fff\uac00-\ud7ff\uf900-\ufaff\uff00-\uff60"
_OPENING = "（《「“(["
_CLOSING = "，。、；：？！）》」”)]"
_UNIT = re.compile(
    rf"[{re.escape(_OPENING)}]*(?:[{_WIDE}]|[^ \n{_WIDE}]+)[{re.escape(_CLOSING)}]*[ \n]*|[ \n]+"
)
"""A piece without a line break: a Chinese character or a run of others, with its punctuation and space."""
_WIDE_ONE = re.compile(f"[{_WIDE}]")


_CONTROLS = dict.fromkeys([*range(9), *range(11, 32), *range(127, 160)], "\ufffd")
"""The control characters, without tab and line feed."""


def printable(text: str) -> str:
    """``text`` with U+FFFD for control characters, which would steer the terminal: a table's names may hold any."""
    return text.translate(_CONTROLS)


def line_breaks(text: str, width: int) -> list[int]:
    """Offsets at which to break ``text`` into lines of at most ``width`` columns.

    A line never starts with closing punctuation. A word longer than a line is not broken.
    """
    from rich.cells import cell_len

    breaks: list[int] = []
    column = 0
    for unit in _UNIT.finditer(text):
        if column and column + cell_len(unit[0].rstrip()) > width:
            breaks.append(unit.start())
            column = 0
        column += cell_len(unit[0])
    return breaks


def wrapped(text: str, width: int) -> list[str]:
    """The lines of ``text``, each of at most ``width`` columns."""
    if not _WIDE_ONE.search(text):
        return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
    ends = [*line_breaks(text, width), len(text)]
    return [text[start:end].rstrip() for start, end in zip([0, *ends], ends, strict=False)]


def width_of(text: str) -> int:
    """The number of columns that ``text`` takes: two for each Chinese character."""
    return len(text) + len(_WIDE_ONE.findall(text))
