"""Joining the blocks of a table in memory, and giving each column of text the type of its values."""

from __future__ import annotations

from collections.abc import Sequence

from learnrate.data.blocks import Blocks, TableBlock
from learnrate.data.frames import Frame, Series, nameless, several_types
from learnrate.data.number_verdicts import Verdict, judge_numerals
from learnrate.data.numerals import Numerals
from learnrate.data.options import Table
from learnrate.data.text import meaning, plain_numbers
from learnrate.data.wording import abridged

__all__ = ["note_on_numbers", "settle"]


def settle(blocks: Sequence[TableBlock], options: Table, notes: Sequence[str] = ()) -> Blocks:
    """Join blocks into one, with one type for each column: a common type of numbers, or text.

    Blocks in which a column is wholly missing do not affect its type.

    Raises
    ------
    DataError
        If a column has types without a common one.
    """
    import polars as pl

    names = blocks[0].frame.columns
    numerals: dict[str, Numerals] = {}
    looked: dict[str, list[tuple[Series | None, Series]]] = {}
    for block in blocks:
        for name in names:
            values = nameless(block.frame, name)
            if values.dtype == pl.String:
                number, text = plain_numbers(values)
                numerals.setdefault(name, Numerals()).add(text, number)
                looked.setdefault(name, []).append((number, text))
    verdicts = judge_numerals(
        numerals,
        separator=blocks[0].separator,
        decimal=options.decimal,
        thousands=options.thousands,
    )
    columns: dict[str, Series] = {}
    for name in names:
        verdict = verdicts.get(name, Verdict())
        parts = []
        for block in blocks:
            values = nameless(block.frame, name)
            if values.dtype != pl.String:
                parts.append(values)
                continue
            number, text = looked[name].pop(0)
            if verdict.form is not None:
                parts.append(verdict.form.parse(text))
            elif block.untyped and not verdict.trouble:
                parts.append(meaning(text) if number is None else number)
            else:
                parts.append(values)
        columns[name] = _joined(name, parts)
    return Blocks.of(
        pl.DataFrame(columns),
        notes=[*notes, *note_on_numbers(verdicts)],
        troubles={name: verdict.trouble for name, verdict in verdicts.items() if verdict.trouble},
    )


def note_on_numbers(verdicts: dict[str, Verdict]) -> list[str]:
    """A note on columns whose numbers were not plain, or none."""
    said = [f"{name} ({verdict.said})" for name, verdict in verdicts.items() if verdict.said]
    return [f"Numbers read from text: {abridged(said)}."] if said else []


def _joined(name: str, parts: list[Series]) -> Series:
    """Concatenate parts of a column in their common type."""
    import polars as pl

    if len(parts) == 1:
        return parts[0]
    said = [part.dtype for part in parts if part.null_count() < len(part)]
    types = list(dict.fromkeys(said or [parts[0].dtype]))
    common = types[0]
    if len(types) > 1:
        common = pl.Float64() if all(one.is_numeric() for one in types) else pl.String()
    try:
        return pl.concat([part.cast(common) for part in parts])
    except pl.exceptions.PolarsError as error:
        raise several_types(name, types) from error


def as_blocks(frame: Frame, options: Table) -> Blocks:
    """A frame as a table in memory, with the types of its text columns detected."""
    return settle([TableBlock(frame)], options)
