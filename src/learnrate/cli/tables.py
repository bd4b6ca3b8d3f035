"""The command-line options of tables, which several commands share."""

from __future__ import annotations

import csv
import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any, get_type_hints

import typer

__all__ = [
    "TABLE_OPTIONS",
    "Features",
    "Missing",
    "Target",
    "data_argument",
    "names_in",
    "with_table_options",
]

Target = Annotated[
    str | None, typer.Option("--target", "-t", help="Column to predict.", show_default=False)
]
Features = Annotated[
    str | None,
    typer.Option(help='Columns to predict from: a,b,"c, d". By default all that can be used.'),
]
Missing = Annotated[
    str, typer.Option(help="Missing values: error, drop (the rows) or mean (fill it in).")
]


def data_argument(more: str) -> Any:
    """The argument that names the examples; ``more`` ends its help."""
    return typer.Argument(
        help="A table (csv, tsv, txt, xlsx, parquet, feather, arrow, json, jsonl, npy, npz, each also compressed), a glob "
        f"of them, file.db::table, - for standard input, or diabetes or houses (which ship with learnrate). {more}",
        show_default=False,
    )


def _option(kind: Any, *names: str, help: str) -> Any:
    return Annotated[kind, typer.Option(*names, help=help, show_default=False)]


_OPTIONS: dict[str, Any] = {
    "drop": _option(str | None, "--drop", help='Columns that are not used: a,b,"c, d".'),
    "dates": _option(
        str | None,
        "--dates",
        help="Features from dates: parts (year, month, weekday, hour) or days (since the first). Unless given, dates are not used.",
    ),
    "decimal": _option(str | None, "--decimal", help="The decimal mark of numbers: . or ,"),
    "thousands": _option(
        str | None,
        "--thousands",
        help="The thousands separator of numbers, such as , or . or a blank.",
    ),
    "header": _option(
        bool | None,
        "--header/--no-header",
        help="Whether the first line holds the names of the columns. If not, they are column_1, ….",
    ),
    "skip_lines": _option(
        int, "--skip-lines", help="Number of lines to skip at the beginning of a text file."
    ),
    "comment": _option(
        str | None,
        "--comment",
        help="Skip lines that begin with this, such as '#'; '' for none.",
    ),
    "sep": _option(
        str | None,
        "--sep",
        help="The separator of values in a text file: one character, tab or blanks.",
    ),
    "encoding": _option(
        str | None, "--encoding", help="The encoding of a text file: utf-8, gb18030, cp1252, …"
    ),
    "sheet": _option(
        str | None, "--sheet", help="The sheet of a workbook, by name, or by number from 1."
    ),
}

TABLE_OPTIONS = tuple(_OPTIONS)
"""The names of these options."""


def names_in(text: str | None) -> tuple[str, ...] | None:
    """The names of ``a,b,"c, d"``, where one with a comma stands in quotation marks; None without a text."""
    if text is None:
        return None
    row = next(csv.reader([text], skipinitialspace=True)) or [""]
    return tuple(name.strip() for name in row)


def with_table_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add these options to a command, which gets them as one argument ``table``, a `learnrate.data.options.Table`."""
    own = inspect.signature(command)
    options = {
        name: inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=0 if name == "skip_lines" else None,
            annotation=annotation,
        )
        for name, annotation in _OPTIONS.items()
    }

    @functools.wraps(command)
    def run(*arguments: Any, **given: Any) -> Any:
        from learnrate.data.options import Table

        asked = {name: given.pop(name) for name in _OPTIONS}
        drop = asked.pop("drop")
        return command(*arguments, table=Table(drop=names_in(drop) or (), **asked), **given)

    hints = get_type_hints(command, include_extras=True)
    parameters = [
        parameter.replace(annotation=hints[parameter.name])
        for parameter in own.parameters.values()
        if parameter.name != "table"
    ]
    run.__signature__ = own.replace(  # type: ignore[attr-defined]
        parameters=[*parameters, *options.values()], return_annotation=hints.get("return", None)
    )
    run.__annotations__ = {
        **{parameter.name: parameter.annotation for parameter in parameters},
        **_OPTIONS,
        "return": hints.get("return", None),
    }
    del run.__wrapped__  # else Typer reads the annotations of the wrapped function
    return run
