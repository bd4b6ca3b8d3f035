"""Options of reading a table."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from learnrate.errors import OptionError, did_you_mean, not_one_of, option

__all__ = ["SEPARATORS", "Table"]

SEPARATORS = {
    ",": "commas",
    ";": "semicolons",
    "\t": "tabs",
    "|": "bars",
    " ": "blanks",
}
_NAMES = {"comma": ",", "semicolon": ";", "tab": "\t", "\\t": "\t", "bar": "|", "pipe": "|"}
_NAMES |= {"blank": " ", "blanks": " ", "space": " ", "whitespace": " "}


@dataclass(frozen=True, kw_only=True)
class Table:
    """How a table is read, and which columns are used.

    What is not given is detected from the table, and a note says what was detected. Each attribute is an option of
    the same name on the command line.

    Attributes
    ----------
    decimal : {".", ","}, optional
        The decimal mark of all numbers in text.
    thousands : str, optional
        The thousands separator of these numbers, such as ``","``, ``"."``, ``" "`` or ``"'"``.
    header : bool, optional
        Whether the first line holds the names of the columns. If not, they are ``column_1``, ``column_2``, …
    skip_lines : int
        Number of lines to skip at the beginning of a text file.
    comment : str, optional
        Lines that begin with this are skipped, such as ``"#"``; ``""`` for none.
    sep : str, optional
        The separator of values in a text file: one character, or ``"tab"``, or ``"blanks"`` (any number of them).
    encoding : str, optional
        The encoding of a text file, by its name in Python: ``"utf-8"``, ``"gb18030"``, ``"cp1252"``, ….
    sheet : str or int, optional
        The sheet of a workbook, by name, or by number from 1.
    dates : {"parts", "days"}, optional
        Features from dates: year, month, weekday and hour, or the days since the first date. Unless given, dates are
        not used.
    drop : sequence of str
        Columns that are not used as features.

    Raises
    ------
    OptionError
        If a value cannot be used.
    """

    decimal: str | None = None
    thousands: str | None = None
    header: bool | None = None
    skip_lines: int = 0
    comment: str | None = None
    sep: str | None = None
    encoding: str | None = None
    sheet: str | int | None = None
    dates: str | None = None
    drop: str | Sequence[str] = ()

    def __post_init__(self) -> None:
        self._one_of("decimal", self.decimal, (".", ","))
        self._one_of("dates", self.dates, ("parts", "days"))
        if self.thousands is not None and (
            len(self.thousands) != 1 or self.thousands.isalnum() or self.thousands == self.decimal
        ):
            raise OptionError(
                f"{option('thousands')} must be one character that is neither a letter nor a digit nor the decimal mark, such "
                f"as ',' or ' '. Got {self.thousands!r} instead."
            )
        if (
            isinstance(self.skip_lines, bool)
            or not isinstance(self.skip_lines, int)
            or self.skip_lines < 0
        ):
            raise OptionError(
                f"{option('skip_lines')} must be a whole number ≥ 0. Got {self.skip_lines!r} instead."
            )
        if self.sep is not None:
            sep = _NAMES.get(self.sep.casefold(), self.sep)
            if len(sep) != 1 or sep.isalnum() or sep in '"\r\n.':
                raise OptionError(
                    f"{option('sep')} must be one character, or one of tab, blanks. Got {self.sep!r} instead."
                )
            object.__setattr__(self, "sep", sep)
        if self.encoding is not None:
            try:
                name = codecs.lookup(self.encoding).name
                codecs.getincrementaldecoder(name)  # some codecs are not for text
                "".encode(name)
            except (LookupError, TypeError):
                known = (
                    "utf-8",
                    "utf-16",
                    "gb18030",
                    "big5",
                    "shift_jis",
                    "euc_kr",
                    "cp1252",
                    "latin-1",
                    "cp1251",
                )
                raise OptionError(
                    f"{option('encoding')} must be one that Python knows. Got {self.encoding!r} instead."
                    + did_you_mean(self.encoding, known)
                ) from None
            object.__setattr__(self, "encoding", name)
        drop = (self.drop,) if isinstance(self.drop, str) else tuple(self.drop)
        object.__setattr__(self, "drop", drop)

    @staticmethod
    def _one_of(name: str, value: Any, known: tuple[str, ...]) -> None:
        if value is not None and value not in known:
            raise not_one_of(option(name), value, known)

    def given(self, names: Iterable[str] | None = None) -> dict[str, Any]:
        """The options that differ from their defaults, of all names or of some."""
        some = {field.name: getattr(self, field.name) for field in fields(self)}
        unset = {field.name: field.default for field in fields(self)}
        wanted = unset if names is None else names
        return {name: some[name] for name in wanted if some[name] != unset[name]}
