"""The tables of an explanation as text, shortened and formatted, for the terminal and for pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from learnrate._shapes import Array
from learnrate.book.steps.abridging import Omitted, Shown, abridge, shown
from learnrate.book.steps.formats import clean, clip, format_shape, formats_together
from learnrate.book.steps.messages import Messages
from learnrate.book.steps.opened import Opened
from learnrate.book.steps.opened_step import OpenedStep

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

_NAME_WIDTH, _CLASS_WIDTH = 12, 8
"""Longer names are cut, but not in JSON."""
_FEW = 3


@dataclass(frozen=True)
class Limits:
    """The largest number of rows and columns of a table, of numbers in a cell, and of nodes in a table."""

    rows: int = 8
    columns: int = 8
    values: int = 5
    nodes: int = 60


@dataclass(frozen=True)
class Column:
    """The heading of a column, and the kind of its cells."""

    heading: str
    kind: Literal["name", "formula", "math", "value", "gradient"] = "value"
    numeric: bool = True


@dataclass(frozen=True)
class Table:
    """A table of texts; an `Omitted` in place of a row is the number of rows that are left out there.

    Attributes
    ----------
    columns : tuple of Column
        The headings.
    rows : tuple of (tuple of str, or Omitted)
        The cells.
    total : bool
        Whether the last row is the sum of the others.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...] | Omitted, ...]
    total: bool = False


def vector(values: Array | None, m: Messages, limit: int) -> str:
    """Numbers in one line, ``[1.2, 3.4, … 24 more …, 5.6]``."""
    if values is None:
        return ""
    part = shown(values.size, limit)
    texts = part.with_gap(formats_together(values.ravel()[part.kept])[0])
    parts = [
        m.more_values.format(count=text) if isinstance(text, Omitted) else text for text in texts
    ]
    return f"[{', '.join(parts)}]"


def attached_table(e: Opened, m: Messages, limits: Limits) -> Table:
    """The table of the gradients that ``attach_grad()`` allocated."""
    columns = (
        Column(m.parameter, "name", numeric=False),
        Column(".grad", "gradient", numeric=False),
        Column(m.shape, "formula", numeric=False),
        Column(m.dtype, "formula", numeric=False),
        Column("grad_req", "formula", numeric=False),
    )
    rows = [
        (
            clean(item.name),
            vector(item.grad, m, limits.values),
            format_shape(item.shape),
            item.dtype,
            item.grad_req,
        )
        for item in e.attached
    ]
    return Table(columns, tuple(rows))


def minibatch_table(e: OpenedStep, m: Messages, limits: Limits) -> Table:
    """The table of the minibatch: number, features and label of each example."""
    rows = shown(len(e.y), limits.rows)
    features = [
        _more_columns(j, rows, m)
        if isinstance(j, Omitted)
        else _column(_short(e.feature_names[j]), e.X[rows.kept, j])
        for j in abridge(range(len(e.feature_names)), limits.columns)
    ]
    label = _column(_short(e.target_name), e.y[rows.kept])
    if e.classes:
        named = [_short(e.classes[int(code)]) for code in e.y[rows.kept]]
        label = Column(_short(e.target_name), "name", numeric=False), named
    columns = [*features, label]
    return _table(Column(m.example, "name"), _example_labels(e, rows), columns, rows)


def forward_table(e: Opened, m: Messages, limits: Limits) -> Table:
    """The table of the nodes in forward order."""
    columns = (
        Column(m.node, "name", numeric=False),
        Column(m.computed_as, "math", numeric=False),
        Column(m.operator, "formula", numeric=False),
        Column(m.shape, "formula", numeric=False),
        Column(m.value, numeric=False),
    )
    rows: list[tuple[str, ...] | Omitted] = []
    for node in abridge(e.nodes, limits.nodes):
        if isinstance(node, Omitted):
            rows.append(node)
            continue
        above = e.is_told(node)
        value = m.features_above if above else vector(node.values, m, limits.values)
        source = {"data": m.data, "parameter": m.parameter}.get(node.kind, node.operator)
        shape = format_shape(node.shape)
        rows.append((clean(node.name), clean(node.expression), source, shape, value))
    return Table(columns, tuple(rows))


def backward_table(e: Opened, m: Messages, limits: Limits) -> Table:
    """The table of the nodes in the order in which ``backward()`` reached them."""
    columns = (
        Column(m.order, "formula"),
        Column(m.node, "name", numeric=False),
        Column(m.gradient_rule, "math", numeric=False),
        Column(m.gradient, "gradient", numeric=False),
    )
    rows = [
        node
        if isinstance(node, Omitted)
        else (
            str(node.visited),
            clean(node.name),
            clean(node.rule),
            vector(node.gradient, m, limits.values),
        )
        for node in abridge(e.visited, limits.nodes)
    ]
    return Table(columns, tuple(rows))


def update_table(e: OpenedStep, m: Messages, limits: Limits) -> Table:
    """The table of old value, gradient, step and new value of every parameter."""
    rows = shown(len(e.parameter_names), limits.rows)

    def joined(part: str) -> Array:
        return np.concatenate([np.ravel(getattr(update, part)) for update in e.updates])[rows.kept]

    old, change, new = formats_together(joined("old"), joined("change"), joined("new"))
    if any(value and not float(text) for value, text in zip(joined("old"), old, strict=True)):
        # With the decimals of large steps, small initial values would be shown as 0.
        [old] = formats_together(joined("old"))
    columns = [
        (Column(m.old), old),
        _column(m.gradient, joined("gradient"), "gradient"),
        (Column(m.change, "gradient"), change),
        (Column(m.new), new),
    ]
    return _table(Column(m.parameter, "name", numeric=False), _names(e, rows), columns, rows)


def terms_table(e: OpenedStep, m: Messages, limits: Limits) -> Table:
    """The table of the terms of the gradient by hand, one row per example, with the sums in the last row."""
    check = e.check
    rows = shown(len(e.y), limits.rows)

    def column(heading: str, j: int) -> _Texts:
        return _column(heading, np.append(check.terms[rows.kept, j], check.by_hand[j]))

    C = max(1, len(e.outputs))
    r = [f"r[{clip(clean(name), _CLASS_WIDTH)}]" for name in e.outputs] or ["r"]
    products = [f"{_short(name)} · {one}" for name in e.feature_names for one in r]
    most_r = max(_FEW, limits.columns // 2) if e.outputs else 1
    most = max(_FEW, limits.columns - most_r) if e.outputs else limits.columns
    columns: list[_Texts] = []
    places = range(len(products), len(products) + C), range(len(products))
    for some, room in zip(places, (most_r, most), strict=True):
        for j in abridge(some, room):
            if isinstance(j, Omitted):
                heading, texts = _more_columns(j, rows, m)
                columns.append((heading, [*texts, "…"]))
            else:
                columns.append(column([*products, *r][j], j))
    labels = [*_example_labels(e, rows), m.total]
    return _table(Column(m.example, "name"), labels, columns, rows, total=True)


def check_table(e: OpenedStep, m: Messages, limits: Limits) -> Table:
    """The table of the gradient in three ways."""
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
    """A table of numbers with row labels: the shown rows, the gap, and the row of sums if there is one."""
    cells = list(zip(labels, *(texts for _, texts in columns), strict=True))
    last = [cells.pop()] if total else []
    heads = tuple(column for column, _ in columns)
    return Table((first, *heads), (*rows.with_gap(cells), *last), total)


def _example_labels(e: OpenedStep, rows: Shown) -> list[str]:
    """The numbers of the minibatch's examples, from 1."""
    return [str(index + 1) for index in e.indices[rows.kept]]


def _names(e: OpenedStep, rows: Shown) -> list[str]:
    if not e.outputs:
        return [_short(e.parameter_names[i]) for i in rows.kept]
    classes = [clip(clean(name), _CLASS_WIDTH) for name in e.outputs]
    names = [f"w[{_short(name)}, {c}]" for name in e.feature_names for c in classes]
    names += [f"b[{c}]" for c in classes]
    return [names[i] for i in rows.kept]


def _short(name: str) -> str:
    return clip(clean(name), _NAME_WIDTH)
