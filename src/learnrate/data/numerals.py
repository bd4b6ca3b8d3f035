"""Numbers in text with marks and thousands separators: ``$1,200``, ``25.5%``, ``1 234,5``, ``(1,200)``, ``12 km``.

How a file writes its numbers is decided from all its columns. In ``58.389`` the point may be a decimal point or a
thousands separator; ``58.39`` and ``1.234.567`` show which. What one column leaves open, other columns may show; if
none does, the user is asked. In a file whose values are separated by commas, and in others without evidence, points are
decimal points and commas are thousands separators.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from learnrate.data.frames import Series

__all__ = ["PLAIN", "Kind", "NumberForm", "Numerals", "parts_of"]

_GROUPING = "'’_ \u00a0\u2007\u2009\u202f"  # between thousands, beside the point or the comma
_CODES = "USD|EUR|GBP|JPY|CNY|RMB|INR|CHF|CAD|AUD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|RUB|BRL|MXN|KRW|SGD|HKD|TWD|ZAR|Rs|kr|RM"
_SYMBOLS = "$€£¥₹₽₩₺₴₦₱฿₫₪₡₲₵¢₸₼₾"
_PREFIX = rf"(?:US|R|A|C|NZ|HK|S|NT)?[{_SYMBOLS}]|(?:{_CODES})\.?|[≥≤<>~≈±]=?"
_SUFFIX = r"[^\d\s().,+\-−'’_:/][^\d()]{0,11}|[+*]"
_ZERO = "\ue000"  # of a skeleton: a 0 alone before a point or comma
_BODY = rf"[9{_ZERO}][9.,{_GROUPING}]*[9.,]|[9{_ZERO}]|[.,]9+"
_NUMBER = re.compile(
    rf"(?P<open>\()?\s*(?P<sign>[-+−])?\s*(?P<prefix>{_PREFIX})?\s*(?P<later>[-+−])?\s*"
    rf"(?P<body>{_BODY})(?:[eE][-+]?9+)?\s*(?P<suffix>{_SUFFIX})?\s*(?P<close>\))?"
)
_GROUPS = r"9{1,3}(?:%s999)+|9{1,2}(?:%s99)+%s999"  # the second as in India
_POINT, _COMMA = (_GROUPS % (mark, mark, mark) for mark in (r"\.", ","))
_OTHER = rf"9{{1,3}}(?:[{_GROUPING}]999)+"
_SHAPES = [  # of the digits, 9 for any of them
    ("whole", rf"9{{1,3}}|{_ZERO}"),
    ("long", r"9{4,}"),
    ("open point", r"9{1,3}\.999"),
    ("open comma", r"9{1,3},999"),
    ("point between thousands", _POINT),
    ("comma between thousands", _COMMA),
    ("decimal point", rf"[9{_ZERO}]*\.9*|(?:{_COMMA}|{_OTHER})\.9+"),
    ("decimal comma", rf"[9{_ZERO}]*,9*|(?:{_POINT}|{_OTHER}),9+"),
    ("grouped", _OTHER),
]
PLAIN = {"whole", "long", "open point", "decimal point"}
_MOST_SKELETONS = 2_000  # of a column of numbers


@dataclass(frozen=True)
class NumberForm:
    """How the numbers of a column are written.

    Attributes
    ----------
    decimal : str
        ``"."`` or ``","``; other marks between digits separate thousands.
    """

    decimal: str = "."

    def parse(self, text: Series) -> Series:
        """The numbers, Int64 or Float64; a text that is not a number becomes null."""
        import polars as pl

        digits = text.str.extract(
            rf"((?:[0-9][0-9.,{_GROUPING}]*|[.,][0-9]+)(?:[eE][-+]?[0-9]+)?)", 1
        )
        other = "," if self.decimal == "." else "."
        digits = digits.str.replace_all(rf"[{_GROUPING}{other}]", "")
        if self.decimal == ",":
            digits = digits.str.replace(",", ".", literal=True)
        numbers = digits.cast(pl.Int64(), strict=False)
        if numbers.null_count() > text.null_count():
            numbers = digits.cast(pl.Float64(), strict=False)
        negative = text.str.contains(r"^[^0-9.,]*[-−(]")
        return pl.select(pl.when(negative).then(-numbers).otherwise(numbers)).to_series()


@dataclass
class Kind:
    """Texts of a column with the same skeleton: how many, the first text, and its row from 1."""

    number: int
    text: str
    row: int
    zero: bool  # whether one of them ends in a 0


@dataclass
class Numerals:
    """The skeletons of a column of text: its texts with every digit replaced by 9. Collected block by block.

    Attributes
    ----------
    kinds : dict of str to Kind
        The texts of each skeleton, such as ``$9,999``.
    plain : bool
        Whether all values are numbers as in a program: ``1``, ``2.5``, ``1e3``.
    hopeless : bool
        Whether the column cannot be one of numbers.
    rows, present : int
        Number of rows, and of those with a value.
    """

    kinds: dict[str, Kind] = field(default_factory=dict)
    plain: bool = True
    hopeless: bool = False
    rows: int = 0
    present: int = 0
    _points_tell: bool = False

    def add(self, text: Series, number: Series | None) -> None:
        """Add a block of texts; ``number`` holds their values if all are plain numbers, else None."""
        row, self.rows = self.rows, self.rows + len(text)
        present = len(text) - text.null_count()
        self.present += present
        if self.hopeless or not present:
            return
        if number is not None:
            self._add_plain(text, number, row)
            return
        self.plain = False
        head = text.head(200).drop_nulls()
        if row or len(text) <= 200 or self._numbers_in(head) >= len(head) / 2:
            self._gather(text, row)
        else:
            self.hopeless = True
        self.hopeless = self.hopeless or len(self.kinds) > _MOST_SKELETONS

    def _add_plain(self, text: Series, number: Series, row: int) -> None:
        """Add a block of plain numbers; in most cases a look at the first values is enough."""
        if self._points_tell:
            return
        if number.dtype.is_integer():
            first = str(text.drop_nulls()[0])
            ends: list[Any] = [number.min(), number.max()]
            low, high = ends
            sizes = {"9": low < 1000 and high > -1000, "9999": low <= -1000 or high >= 1000}
            for skeleton in (one for one, some in sizes.items() if some):
                self.kinds.setdefault(skeleton, Kind(len(text), first, row + 1, zero=False))
            return
        for i, value in enumerate(text.head(50)):
            if value is not None and re.fullmatch(
                r"\s*[-+]?(?:0?|[0-9]{4,})\.[0-9]+\s*|\s*[-+]?[0-9]+\.(?:[0-9]{1,2}|[0-9]{4,})\s*",
                value,
            ):
                self.kinds.setdefault("9.9", Kind(len(text), value, row + i + 1, zero=False))
                self._points_tell = True
                return
        self._gather(text, row)
        self._points_tell = "decimal point" in self.shapes()

    @staticmethod
    def _numbers_in(text: Series) -> int:
        other = Numerals(plain=False)
        other._gather(text, 0)
        return sum(kind.number for skeleton, kind in other.kinds.items() if parts_of(skeleton))

    def _gather(self, text: Series, row: int) -> None:
        import polars as pl

        frame = pl.DataFrame(
            {"text": text, "row": range(row + 1, row + len(text) + 1)}
        ).drop_nulls()
        skeleton = (
            pl.col("text")
            .str.replace(r"(^|[^0-9.,])0([.,])", f"${{1}}{_ZERO}${{2}}")
            .str.replace_all(r"[0-9]", "9")
            .str.replace(r"9{5,}", "99999")
        )
        found = frame.group_by(skeleton.alias("skeleton"), maintain_order=True).agg(
            pl.len(),
            pl.col("text").first(),
            pl.col("row").first(),
            pl.col("text").str.contains(r"0\D*$").any().alias("zero"),
        )
        for one, *facts in found.iter_rows():
            known = self.kinds.get(one)
            if known is None:
                self.kinds[one] = Kind(*facts)
            else:
                known.number += facts[0]
                known.zero = known.zero or facts[3]

    def shapes(self) -> dict[str, Kind]:
        """The shapes of the numbers, such as ``"decimal comma"``, each with its first texts."""
        found: dict[str, Kind] = {}
        for skeleton, kind in self.kinds.items():
            parts = parts_of(skeleton)
            if parts is not None:
                seen = found.setdefault(parts.shape, kind)
                if kind.zero and not seen.zero:
                    found[parts.shape] = Kind(seen.number, seen.text, seen.row, zero=True)
        return found


class _Parts(NamedTuple):
    shape: str
    mark: tuple[str, str]


def parts_of(skeleton: str) -> _Parts | None:
    """Shape and mark of a skeleton of a number; None if it is not one."""
    found = _NUMBER.fullmatch(skeleton)
    if found is None or bool(found["open"]) != bool(found["close"]):
        return None
    suffix = (found["suffix"] or "").strip()
    if suffix.count(" ") > 1:
        return None
    for shape, pattern in _SHAPES:
        if re.fullmatch(pattern, found["body"]):
            return _Parts(shape, ((found["prefix"] or "").strip(), suffix))
    return None
