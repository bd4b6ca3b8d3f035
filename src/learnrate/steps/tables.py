"""The tables of an explanation, abridged and formatted once for every way to draw them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from learnrate._shapes import Array
from learnrate.steps.abridging import Omitted, Shown, abridge, shown
from learnrate.steps.explanation import Explanation
from learnrate.steps.formats import clean, clip, format_shape, formats_together
from learnrate.steps.messages import Messages

__all__ = [
    "Column",
    "Limits",
    "Table",
    "attached_table",
    "backward_table",
    "check_table",
    "forward_table",
    "minibatch_table",
    "terms_table",
    "update_table",
    "vector",
]

_NAME_WIDTH = 12
"""Longer names are cut; JSON has them whole."""


@dataclass(frozen=True)
class Limits:
    """How many rows and columns of a table, and numbers of a list in one cell, are shown."""

    rows: int = 8
    columns: int = 8
    values: int = 5


@dataclass(frozen=True)
class Column:
    """A heading, and what the cells below are."""

    heading: str
    kind: Literal["name", "formula", "value", "gradient"] = "value"
    numeric: bool = True


@dataclass(frozen=True)
class Table:
    """Cells of text; an `Omitted` in place of a row stands for so many rows.

    Attributes
    ----------
    columns : tuple of Column
    rows : tuple of (tuple of str, or Omitted)
    total : bool
        Whether the last row is the sum of the others.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...] | Omitted, ...]
    total: bool = False


def vector(values: Array, m: Messages, limit: int) -> str:
    """A column of numbers in one line, ``[1.2, 3.4, … 24 more …, 5.6]``."""
    part = shown(values.size, limit)
    texts = part.with_gap(formats_together(values.ravel()[part.kept])[0])
    parts = [
        m.more_values.format(count=text) if isinstance(text, Omitted) else text for text in texts
    ]
    return f"[{', '.join(parts)}]"


def attached_table(e: Explanation, m: Messages, limits: Limits) -> Table:
    """What ``attach_grad()`` allocated."""
    columns = (
        Column(m.parameter, "name", numeric=False),
        Column(".grad", "gradient", numeric=False),
        Column(m.shape, "formula", numeric=False),
        Column(m.dtype, "formula", numeric=False),
        Column("grad_req", "formula", numeric=False),
    )
    rows = [
        (
            item.name,
            vector(item.grad, m, limits.values),
            format_shape(item.shape),
            item.dtype,
            item.grad_req,
        )
        for item in e.attached
    ]
    return Table(columns, tuple(rows))


def minibatch_table(e: Explanation, m: Messages, limits: Limits) -> Table:
    """Rows of the minibatch: number, features, label."""
    rows = shown(len(e.y), limits.rows)
    features = [
        _more_columns(j, rows, m)
        if isinstance(j, Omitted)
        else _column(_short(e.feature_names[j]), e.X[rows.kept, j])
        for j in abridge(range(len(e.feature_names)), limits.columns)
    ]
    columns = [*features, _column(_short(e.target_name), e.y[rows.kept])]
    return _table(Column(m.example, "name"), _example_labels(e, rows), columns, rows)


def forward_table(e: Explanation, m: Messages, limits: Limits) -> Table:
    """Nodes in forward order."""
    columns = (
        Column(m.node, "name", numeric=False),
        Column(m.computed_as, "formula", numeric=False),
        Column(m.operator, "formula", numeric=False),
        Column(m.shape, "formula", numeric=False),
        Column(m.value, numeric=False),
    )
    rows = []
    for node in e.nodes:
        value = m.features_above if node.name == "X" else vector(node.values, m, limits.values)
        source = {"data": m.data, "parameter": m.parameter}.get(node.kind, node.operator)
        rows.append((node.name, node.expression, source, format_shape(node.shape), value))
    return Table(columns, tuple(rows))


def backward_table(e: Explanation, m: Messages, limits: Limits) -> Table:
    """Nodes in the order in which ``backward()`` reached them."""
    columns = (
        Column(m.order, "formula"),
        Column(m.node, "name", numeric=False),
        Column(m.gradient_rule, "formula", numeric=False),
        Column(m.gradient, "gradient", numeric=False),
    )
    rows = [
        (str(node.visited), node.name, node.rule, vector(node.gradient, m, limits.values))
        for node in e.visited
        if node.gradient is not None
    ]
    return Table(columns, tuple(rows))


def update_table(e: Explanation, m: Messages, limits: Limits) -> Table:
    """Old value, gradient, step and new value of every parameter."""
    rows = shown(len(e.feature_names) + 1, limits.rows)

    def joined(part: str) -> Array:
        return np.concatenate([np.ravel(getattr(update, part)) for update in e.updates])[rows.kept]

    old, change, new = formats_together(joined("old"), joined("change"), joined("new"))
    if any(value and not float(text) for value, text in zip(joined("old"), old, strict=True)):
        # Beside large steps the start would read as 0, which it is not.
        [old] = formats_together(joined("old"))
    columns = [
        (Column(m.old), old),
        _column(m.gradient, joined("gradient"), "gradient"),
        (Column(m.change, "gradient"), change),
        (Column(m.new), new),
    ]
    return _table(Column(m.parameter, "name", numeric=False), _names(e, rows), columns, rows)


def terms_table(e: Explanation, m: Messages, limits: Limits) -> Table:
    """Terms of the sum by hand, row by row, with the sums below."""
    check = e.check
    rows = shown(len(e.y), limits.rows)

    def column(heading: str, j: int) -> _Texts:
        return _column(heading, np.append(check.terms[rows.kept, j], check.by_hand[j]))

    columns = [column("r", -1)]
    for j in abridge(range(len(e.feature_names)), limits.columns):
        if isinstance(j, Omitted):
            heading, texts = _more_columns(j, rows, m)
            columns.append((heading, [*texts, "…"]))
        else:
            columns.append(column(f"{_short(e.feature_names[j])} · r", j))
    labels = [*_example_labels(e, rows), m.total]
    return _table(Column(m.example, "name"), labels, columns, rows, total=True)


def check_table(e: Explanation, m: Messages, limits: Limits) -> Table:
    """The gradient in three ways."""
    check = e.check
    rows = shown(check.backward.size, limits.rows)
    backward, by_hand, difference = formats_together(
        check.backward[rows.kept], check.by_hand[rows.kept], check.finite_difference[rows.kept]
    )
    columns = [
        (Column("backward()", "gradient"), backward),
        (Column(m.by_hand), by_hand),
        (Column(m.finite_difference), difference),
    ]
    return _table(Column(m.parameter, "name", numeric=False), _names(e, rows), columns, rows)


_Texts = tuple[Column, list[str]]


def _column(heading: str, numbers: Array, kind: Literal["value", "gradient"] = "value") -> _Texts:
    return Column(heading, kind), formats_together(numbers)[0]


def _more_columns(hidden: Omitted, rows: Shown, m: Messages) -> _Texts:
    return Column(m.more_columns.format(count=hidden), "formula"), ["…"] * len(rows.kept)


def _table(
    first: Column,
    labels: Sequence[str],
    columns: Sequence[_Texts],
    rows: Shown,
    *,
    total: bool = False,
) -> Table:
    """Labelled rows of numbers: those that are shown, the gap between them, and their sum."""
    cells = list(zip(labels, *(texts for _, texts in columns), strict=True))
    last = [cells.pop()] if total else []
    heads = tuple(column for column, _ in columns)
    return Table((first, *heads), (*rows.with_gap(cells), *last), total)


def _example_labels(e: Explanation, rows: Shown) -> list[str]:
    """The minibatch's rows by their number among the examples, from 1."""
    return [str(index + 1) for index in e.indices[rows.kept]]


def _names(e: Explanation, rows: Shown) -> list[str]:
    names = e.parameter_names
    return [_short(names[i]) for i in rows.kept]


def _short(name: str) -> str:
    return clip(clean(name), _NAME_WIDTH)
