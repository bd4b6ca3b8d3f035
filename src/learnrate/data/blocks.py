"""A table as blocks of rows, which can be read several times: one block in memory, many in a stream from files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from learnrate._shapes import Array
from learnrate.data.frames import Frame, Series, holds_text, nameless
from learnrate.data.numerals import NumberForm
from learnrate.data.text import meaning, plain_numbers, stripped

__all__ = ["Blocks", "Look", "Reading", "TableBlock", "cut"]


class Reading(NamedTuple):
    """How a column is read, in all blocks.

    Attributes
    ----------
    dtype : Polars data type, optional
        The common type of all blocks; None while only the form is known.
    form : NumberForm, optional
        How numbers are written, if they are not plain.
    dates : str, optional
        The date format.
    """

    dtype: Any
    form: NumberForm | None = None
    dates: str | None = None


class Look(NamedTuple):
    """A column in one block, with its type detected from this block alone.

    Attributes
    ----------
    values : Series
        The values in the narrowest type that holds them; missing ones are null.
    texts : Series or None
        The values as text, if the whole column may be text.
    plain : bool
        Whether all texts are numbers as in a program, such as ``2.5`` or ``1e3``.
    """

    values: Series
    texts: Series | None
    plain: bool


@dataclass(frozen=True)
class TableBlock:
    """Consecutive rows of a table.

    Attributes
    ----------
    frame : polars.DataFrame
        The rows.
    untyped : bool
        Whether they come from a text file, in which texts may be numbers.
    separator : str, optional
        The separator of the text file.
    """

    frame: Frame
    untyped: bool = False
    separator: str | None = None

    def look(self, name: str) -> Look:
        """A column, with its type detected from this block alone."""
        import polars as pl

        values = nameless(self.frame, name)
        if values.dtype == pl.String:
            number, text = plain_numbers(values)
            plain = number is not None
            if not self.untyped:
                return Look(values, values, plain)  # the file says that it is text
            return Look(meaning(text) if number is None else number, text, plain)
        if not self.untyped:
            return Look(values, values.cast(pl.String) if holds_text(values.dtype) else None, False)
        if values.dtype.is_numeric() or values.dtype == pl.Boolean:
            return Look(values, values.cast(pl.String), values.dtype.is_numeric())
        return Look(values, None, False)

    def column(self, name: str, reading: Reading) -> Series:
        """A column, read in the same way in all blocks; missing values are null."""
        import polars as pl

        if name not in self.frame.columns:
            return pl.Series([None] * self.frame.height, dtype=reading.dtype)
        values = nameless(self.frame, name)
        if values.dtype == pl.String and reading.form is not None:
            numbers = reading.form.parse(stripped(values))
            return numbers if reading.dtype is None else numbers.cast(reading.dtype)
        if values.dtype == pl.String and reading.dates is not None:
            return meaning(stripped(values), [reading.dates]).cast(reading.dtype)
        if holds_text(reading.dtype):
            values = values.cast(pl.String)
            return stripped(values) if self.untyped else values
        return self.look(name).values.cast(reading.dtype)


@dataclass(frozen=True)
class Blocks:
    """A table in blocks of rows.

    Attributes
    ----------
    read : callable
        Each call returns the blocks from the beginning.
    in_memory : bool
        Whether the table is one block in memory, whose columns have their types.
    notes : list of str
        Sentences for the user about what was detected. For a stream they are added while it is read.
    troubles : dict of str to str
        Columns that cannot be used, and why.
    """

    read: Callable[[], Iterable[TableBlock]]
    in_memory: bool = False
    notes: list[str] = field(default_factory=list)
    troubles: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, frame: Frame, **known: Any) -> Blocks:
        """A table in memory from a frame."""
        block = TableBlock(frame)
        return cls(lambda: [block], in_memory=True, **known)

    def frame(self) -> Frame:
        """The frame of a table in memory."""
        (block,) = self.read()
        return block.frame

    def complete(self, names: Sequence[str], readings: Mapping[str, Reading]) -> Blocks:
        """The table with only the rows that have a value in all of these columns."""

        def whole(block: TableBlock, _: int) -> Array | None:
            present = None
            for name in names:
                values = block.column(name, readings[name])
                if values.null_count():
                    here = values.is_not_null().to_numpy()
                    present = here if present is None else present & here
            return present

        return self.rows(whole)

    def rows(self, which: Callable[[TableBlock, int], Array | None]) -> Blocks:
        """The table with some of the rows.

        ``which`` is called with a block and the number of its first row, and returns a mask, or None for all rows.
        """

        def some() -> Iterator[TableBlock]:
            first = 0
            for block in self.read():
                keep = which(block, first)
                first += block.frame.height
                yield block if keep is None else replace(block, frame=block.frame.filter(keep))

        return self._made_of(some)

    def map(self, change: Callable[[TableBlock], TableBlock]) -> Blocks:
        """The table with each of its blocks changed."""
        return self._made_of(lambda: map(change, self.read()))

    def _made_of(self, read: Callable[[], Iterable[TableBlock]]) -> Blocks:
        if not self.in_memory:
            return replace(self, read=read)
        held = list(read())
        return replace(self, read=lambda: held)

    def height(self) -> int:
        """Number of rows."""
        return sum(block.frame.height for block in self.read())


def cut(frame: Frame, rows: int | None, **how: Any) -> Iterator[TableBlock]:
    """Divide a frame into blocks of ``rows`` rows, or one block for None."""
    if rows is None:
        yield TableBlock(frame, **how)
        return
    for first in range(0, frame.height, rows):
        yield TableBlock(frame.slice(first, rows), **how)
