"""Deciding how the columns of a file write their numbers, from all columns; what they leave open the user is asked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from learnrate.data.numerals import PLAIN, Kind, NumberForm, Numerals, parts_of
from learnrate.data.wording import shortened
from learnrate.errors import option

__all__ = ["Verdict", "judge_numerals"]

_SAYS_POINT = {"decimal point", "comma between thousands"}
_SAYS_COMMA = {"decimal comma", "point between thousands"}
"""Shapes of numbers that show that the decimal mark is a point, or a comma."""


class Verdict(NamedTuple):
    """What a column of text holds: numbers in some form, something that the user must decide, or text.

    Attributes
    ----------
    form : NumberForm or None
        How its numbers are written; None for plain numbers and for text.
    said : str
        How its numbers were read, for a note; empty for plain numbers.
    trouble : str
        Why the column cannot be used, with advice, without a full stop; empty if it can.
    """

    form: NumberForm | None = None
    said: str = ""
    trouble: str = ""


def judge_numerals(
    columns: Mapping[str, Numerals],
    *,
    separator: str | None,
    decimal: str | None = None,
    thousands: str | None = None,
) -> dict[str, Verdict]:
    """Decide what each column of text holds, from all columns.

    Parameters
    ----------
    columns : mapping of str to Numerals
        How each column writes its numbers.
    separator : str or None
        The separator of the text file; None for other formats.
    decimal, thousands : str, optional
        The decimal mark and the thousands separator, if the user gave them.

    Returns
    -------
    dict from str to Verdict
        Without the columns that are text.
    """
    if decimal is None and thousands in (".", ","):
        decimal = "," if thousands == "." else "."
    numeric, found = {}, {}
    for name, column in columns.items():
        if not column.hopeless and column.present:
            texts = "" if column.plain else _few_texts(name, column)
            if texts is None:
                continue
            numeric[name] = column.shapes()
            if texts:
                found[name] = Verdict(trouble=texts)
    points = any(_SAYS_POINT & shapes.keys() for shapes in numeric.values())
    commas = any(_SAYS_COMMA & shapes.keys() for shapes in numeric.values())
    for name, shapes in numeric.items():
        if name in found:
            continue
        column = columns[name]
        mark, trouble = ("", "") if column.plain else _mark(name, column)
        if mark is None:
            continue  # codes such as 12A, 7B: text
        chosen = decimal
        if not trouble and chosen is None:
            chosen, trouble = _decimal(name, shapes, separator, points=points, commas=commas)
        elif not trouble:
            trouble = _against(name, shapes, str(chosen))
        if trouble:
            found[name] = Verdict(trouble=trouble)
        elif column.plain and (
            chosen == "." or not {"open point", "decimal point"} & shapes.keys()
        ):
            found[name] = Verdict()
        else:
            found[name] = Verdict(NumberForm(str(chosen)), _said(shapes, str(chosen), mark))
    return found


def _few_texts(name: str, column: Numerals) -> str | None:
    """The trouble of a column with a few texts among marked numbers; None for text, and "" if all are numbers."""
    parts = {skeleton: parts_of(skeleton) for skeleton in column.kinds}
    others = [kind for skeleton, kind in column.kinds.items() if parts[skeleton] is None]
    if not others:
        return ""
    marked = sum(
        kind.number
        for skeleton, kind in column.kinds.items()
        if (p := parts[skeleton]) and (p.mark != ("", "") or p.shape not in PLAIN)
    )
    count = sum(kind.number for kind in others)
    if marked < column.present / 2 or count > column.present / 10:
        return None
    return (
        f"Column {name!r} must hold numbers, or texts of few kinds. Got {column.present - count:,} numbers, and "
        f"{shortened(others[0].text)} in data row {others[0].row:,}; correct it, or leave the cell empty and use "
        f"{option('missing')}"
    )


def _decimal(
    name: str, shapes: Mapping[str, Kind], separator: str | None, *, points: bool, commas: bool
) -> tuple[str, str]:
    """The decimal mark of a column and "", or "" and what the user must decide."""
    point = next((shapes[s] for s in _SAYS_POINT if s in shapes), None)
    comma = next((shapes[s] for s in _SAYS_COMMA if s in shapes), None)
    if point is not None and comma is not None:
        return "", _unlike(name, point, comma)
    if point is not None or comma is not None:
        return ("." if point is not None else ","), ""
    opened = [shapes[s] for s in ("open point", "open comma") if s in shapes]
    if not opened:
        return ("," if commas and not points else "."), ""
    if len(opened) == 2:
        return "", _unlike(name, opened[0], opened[1])
    mark = "." if "open point" in shapes else ","
    other = "," if mark == "." else "."
    if points != commas:
        return ("." if points else ","), ""
    if separator == "," or (mark == "." and separator != ";" and not commas):
        return ".", ""
    if opened[0].zero and "long" not in shapes and "whole" in shapes:
        return other, ""  # 300 beside 1,200: decimals would be written 300,000
    text = opened[0].text
    return "", (
        f"Column {name!r} must show its decimal mark. Got {shortened(text)} in data row {opened[0].row:,}, which is "
        f"{_value(text, mark)} or {_value(text, other)}, and no other value shows which; choose with "
        f"{option('decimal', mark)} or {option('decimal', other)}"
    )


def _value(text: str, decimal: str) -> str:
    import polars as pl

    return f"{NumberForm(decimal).parse(pl.Series([text]))[0]:g}"


def _against(name: str, shapes: Mapping[str, Kind], decimal: str) -> str:
    """The trouble of a column whose numbers do not fit the user's decimal mark; else ""."""
    odd = next(
        (shapes[s] for s in (_SAYS_COMMA if decimal == "." else _SAYS_POINT) if s in shapes), None
    )
    if odd is None:
        return ""
    return (
        f"Column {name!r} must hold numbers with the decimal mark {decimal!r}, as {option('decimal')} says. Got "
        f"{shortened(odd.text)} in data row {odd.row:,} instead; leave {option('decimal')} out"
    )


def _said(shapes: Mapping[str, Kind], decimal: str, mark: str) -> str:
    first = next(iter(shapes.values())).text
    first = next((k.text for s, k in shapes.items() if s not in ("whole", "long")), first)
    value = _value(first, decimal)
    return f"{shortened(first)} as {value}" if mark or decimal or value != first else ""


def _mark(name: str, column: Numerals) -> tuple[str | None, str]:
    """The mark around every number, such as ``$`` or ``%``, and the trouble if marks differ; None for codes (text)."""
    marks: dict[tuple[str, str], Kind] = {}
    for skeleton, kind in column.kinds.items():
        parts = parts_of(skeleton)
        assert parts is not None
        mark = parts.mark[0], _unit(parts.mark[1])
        if mark in marks:
            marks[mark].number += kind.number
        else:
            marks[mark] = Kind(kind.number, kind.text, kind.row, kind.zero)
    if len(marks) == 1:
        return "".join(next(iter(marks))), ""
    most = max(marks, key=lambda mark: marks[mark].number)
    odd = next(mark for mark in sorted(marks, key=lambda m: marks[m].number) if mark != most)
    if odd == ("", ""):
        odd, most = most, odd
    letters = all(
        not prefix and re.fullmatch(r"[^\W\d_]*(?: [^\W\d_]+)*", suffix) for prefix, suffix in marks
    )
    if letters:
        codes = any(len(suffix) == 1 for _, suffix in marks)
        share = max(kind.number for kind in marks.values()) / column.present
        if codes or (len(marks) > 2 and share < 0.9) or (("", "") not in marks and share < 0.9):
            return None, ""
    odd_kind, usual = marks[odd], marks[most]
    return "", _unlike(name, odd_kind, usual, f", with the mark {''.join(odd)!r},")


def _unlike(name: str, one: Kind, other: Kind, mark: str = "") -> str:
    return (
        f"Column {name!r} must write its numbers alike. Got {shortened(one.text)} in data row {one.row:,}{mark} beside "
        f"{shortened(other.text)} in data row {other.row:,}; write them alike"
    )


def _unit(suffix: str) -> str:
    """A unit in a common form: of the singular and the plural, and of 1st, 2nd, 3rd and 4th."""
    folded = suffix.casefold()
    if folded in ("st", "nd", "rd"):
        return "th"
    return folded[:-1] if len(folded) > 3 and folded.endswith("s") else folded
