"""Reading JSON with Polars: one object per line, or an array of objects."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from learnrate.data.blocks import TableBlock, cut
from learnrate.data.encodings import as_utf8, refuse_wrong_encoding
from learnrate.data.options import Table
from learnrate.data.sources import TEXT_BYTES, Source, parsing
from learnrate.errors import DataError

__all__ = ["read_json_lines"]


def read_json_lines(
    source: Source, rows: int | None, options: Table, notes: list[str]
) -> Iterator[TableBlock]:
    """Read JSON objects as rows; an absent key is a missing value.

    The types of texts are detected as in a CSV file: dates are dates, and ``"NA"`` is a missing value.
    """
    import polars as pl

    source, encoding_notes = as_utf8(source, options.encoding)
    notes += encoding_notes
    with source.reading(), source.open() as stream:
        is_array = stream.read(1 << 16).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")
    if is_array:
        array = source
        source = replace(
            source,
            opener=lambda: io.BufferedReader(_Objects(array.open(), array.label)),
            compression="",
            path=None,
        )
    try:
        # A stream, since Polars reads brackets in a path as a pattern.
        with parsing(source.label, "JSON lines (one object per line)"), source.open() as stream:
            for content in [stream.read()] if rows is None else _whole_lines(stream):
                frame = pl.read_ndjson(io.BytesIO(content), infer_schema_length=None)
                yield from cut(frame, rows, untyped=True)
    except DataError:
        refuse_wrong_encoding(source)
        _refuse_bad_line(source)
        raise


def _whole_lines(stream: io.BufferedIOBase) -> Iterator[bytes]:
    rest = b""
    while some := stream.read(TEXT_BYTES):
        whole, end, rest = (rest + some).rpartition(b"\n")
        if whole.strip():
            yield whole + end
    if rest.strip():
        yield rest


class _Objects(io.RawIOBase):
    """A stream of the objects of a JSON array, one per line."""

    def __init__(self, stream: Any, label: str) -> None:
        self._text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
        self._label = label
        self._objects = self._read()
        self._rest = b""

    def _read(self) -> Iterator[str]:
        decoder = json.JSONDecoder(parse_constant=_refuse_constant)
        held, place, number = "", 0, 0
        while True:
            while held[place : place + 1] and held[place] in " \t\r\n,[":
                place += 1
            if held[place : place + 1] == "]":
                return
            try:
                value, end = decoder.raw_decode(held, place)
            except ValueError as error:
                some = self._text.read(TEXT_BYTES)
                if some:
                    held, place = held[place:] + some, 0
                    continue
                raise self._damaged(number + 1, str(error)) from None
            number += 1
            if not isinstance(value, dict):
                raise self._damaged(number, f"a {type(value).__name__}")
            yield held[place:end].replace("\n", " ").replace("\r", " ") + "\n"
            place = end

    def _damaged(self, number: int, came: str) -> DataError:
        return DataError(
            f"{self._label} must hold a JSON array of objects, one for each row. Got something else as object "
            f"{number:,} instead ({came}); correct it."
        )

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        while not self._rest:
            some = "".join(itertools.islice(self._objects, 1000))
            if not some:
                break
            self._rest = some.encode()
        count = min(len(into), len(self._rest))
        into[:count], self._rest = self._rest[:count], self._rest[count:]
        return count

    def close(self) -> None:
        self._text.close()
        super().close()


def _refuse_bad_line(source: Source) -> None:
    """Raise `DataError` for the first line that is not a JSON object."""
    with source.open() as stream:
        for number, line in enumerate(stream, start=1):
            if not line.strip():
                continue
            try:
                value = json.loads(line, parse_constant=_refuse_constant)
                came = None if isinstance(value, dict) else f"a {type(value).__name__}"
            except (ValueError, RecursionError) as error:
                came = str(error)
            if came:
                raise DataError(
                    f"{source.label} must hold one JSON object per line. Got something else in line "
                    f"{number} instead ({came}); correct that line."
                )


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON: write null for a missing value")
