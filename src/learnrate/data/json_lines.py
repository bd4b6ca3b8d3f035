"""JSON lines: one object per line, read by Polars."""

from __future__ import annotations

import json

from learnrate.data.delimited import refuse_wrong_encoding
from learnrate.data.frames import Frame, nameless
from learnrate.data.sources import Source, reading
from learnrate.data.text import typed
from learnrate.errors import DataError

__all__ = ["read_json_lines", "refuse_bad_line"]


def read_json_lines(source: Source) -> Frame:
    """Read one example per line; a key that a line lacks is a missing value.

    Texts are typed as in a CSV file, so a date is a date and ``"NA"`` is missing.
    """
    import polars as pl

    try:
        # A stream, because Polars would take the brackets in a path for a pattern.
        with reading(source.label, "JSON lines (one object per line)"), source.open() as stream:
            frame = pl.read_ndjson(stream, infer_schema_length=None)
    except DataError:
        refuse_wrong_encoding(source)
        refuse_bad_line(source)
        raise
    texts = [name for name, dtype in frame.schema.items() if dtype == pl.String]
    return frame.with_columns([typed(nameless(frame, name)).alias(name) for name in texts])


def refuse_bad_line(source: Source) -> None:
    """Raise `DataError` that names the first line that is not a JSON object."""
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
                    f"{number} instead ({came}); mend that line."
                )


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON: write null for a missing value")
