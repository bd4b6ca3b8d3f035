"""Reading sheets of workbooks as text with fastexcel, so that headers, units and numbers are detected as in CSV files."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from typing import Any

from learnrate._extras import require
from learnrate.data.blocks import TableBlock, cut
from learnrate.data.first_lines import Row, header_of
from learnrate.data.options import Table
from learnrate.data.sources import Source, parsing, refuse_too_large
from learnrate.errors import DataError, OptionError, did_you_mean, option

__all__ = ["read_workbook"]


def read_workbook(
    source: Source, rows: int | None, options: Table, notes: list[str]
) -> Iterator[TableBlock]:
    """Read one sheet: ``options.sheet``, or the first."""
    import polars as pl

    fastexcel: Any = require("fastexcel", extra="excel", purpose="workbooks")
    with parsing(source.label, "a workbook (.xlsx, .xls or .ods)"):
        with source.open() as stream:
            if zipfile.is_zipfile(stream):
                with zipfile.ZipFile(stream) as archive:
                    refuse_too_large(
                        source.label, sum(info.file_size for info in archive.infolist())
                    )
            stream.seek(0)
            book = fastexcel.read_excel(stream.read())
        sheets = list(book.sheet_names)
        number = _sheet(options.sheet, sheets, source.label)
        sheet = book.load_sheet(
            number, header_row=None, dtypes="string", skip_rows=options.skip_lines
        )
        frame = sheet.to_polars()
    if len(sheets) > 1 and options.sheet is None:
        notes.append(
            f"{source.label} has {len(sheets)} sheets; {sheets[0]!r} is read (to choose another use the option sheet)."
        )
    texts = [[cell or "" for cell in row] for row in frame.head(1000).iter_rows()]
    shown = [
        Row(number, [" ".join(c.split()) for c in cells])
        for number, cells in enumerate(texts, start=1)
        if any(cells)
    ]
    if not shown:
        raise DataError(
            f"{source.label} must hold a table. Got an empty sheet {sheets[number]!r} instead; choose another with {option('sheet')}."
        )
    names, below, header_notes = header_of(shown, frame.width, options, source.label)
    notes += header_notes
    first = below[0].line - 1 if below else frame.height
    frame = frame.slice(first)
    frame.columns = names
    frame = frame.filter(~pl.all_horizontal(pl.all().is_null()))
    yield from cut(frame, rows, untyped=True, separator="\t")


def _sheet(asked: str | int | None, sheets: list[str], label: str) -> int:
    if asked is None:
        return 0
    if str(asked) in sheets:
        return sheets.index(str(asked))
    if str(asked).isdigit() and 1 <= int(asked) <= len(sheets):
        return int(asked) - 1
    raise OptionError(
        f"{option('sheet')} must be one of {label}'s, by name or by number from 1. Got {asked!r} instead."
        + did_you_mean(asked, sheets)
    )
