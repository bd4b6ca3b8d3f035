"""The sections of the explanation of a script's ``backward()``."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from learnrate._shapes import Array
from learnrate.book.steps.abridging import largest
from learnrate.book.steps.formats import clean, formats_together
from learnrate.book.steps.formula import evaluate, with_numbers
from learnrate.book.steps.messages import Messages, prose
from learnrate.book.steps.opened_script import OpenedScript, ParameterStep, ScriptUpdate
from learnrate.book.steps.parts import Formula, Part, Section
from learnrate.book.steps.sections import is_finite
from learnrate.book.steps.tables import (
    Column,
    Limits,
    Table,
    attached_table,
    backward_table,
    forward_table,
)

__all__ = ["script_facts", "script_remarks", "script_sections"]

_ELEMENTS = 12
"""Rows of the tables of elements."""


def script_facts(e: OpenedScript, m: Messages) -> list[tuple[str, str]]:
    """Facts for the head of the page: (name, value)."""
    [[loss]] = formats_together([e.loss])
    return [
        (m.script, clean(Path(e.script).name)),
        ("backward()", m.backward_number.format(number=e.number)),
        (m.line, f"{clean(Path(e.file).name)}:{e.line}"),
        (m.parameters, f"{e.check.parameters:,}"),
        (m.differentiated, loss),
    ]


def script_remarks(e: OpenedScript, m: Messages) -> list[str]:
    """Whether training diverged."""
    return [] if is_finite(e) else [m.diverged_script]


def script_sections(e: OpenedScript, m: Messages, limits: Limits) -> tuple[Section, ...]:
    """All sections of an explanation."""
    return (
        Section(
            "attach_grad",
            m.attach_title,
            "",
            (prose(m.attach_script), attached_table(e, m, limits), prose(m.attach_script_after)),
        ),
        Section(
            "forward",
            m.forward_title,
            e.forward_code,
            (prose(m.forward_script), forward_table(e, m, limits)),
        ),
        Section(
            "backward",
            m.backward_title,
            e.backward_code,
            (prose(m.backward_script), backward_table(e, m, limits)),
        ),
        Section("update", m.update_title, e.update_code, tuple(_updates(e, m))),
        Section("check", m.check_title, "", tuple(_check(e, m))),
    )


def _updates(e: OpenedScript, m: Messages) -> list[Part]:
    if not e.updates:
        return [prose(m.update_none)]
    parts: list[Part] = []
    for update in e.updates:
        names = ", ".join(clean(step.name) for step in update.parameters)
        if update.formulas:
            parts.append(prose(m.update_rule, names=names))
            parts += map(Formula, update.formulas)
            parts.append(prose(m.update_letters, letters=_letters(update)))
            parts += _worked(update, m)
        elif update.rate is not None:
            parts.append(prose(m.update_rate, names=names, rate=f"{update.rate:.4g}"))
            parts.append(Formula("w ← w − k · grad"))
        else:
            parts.append(prose(m.update_own, names=names))
        parts += [*_update_tables(update, m), prose(m.largest_shown)]
    return parts


def _letters(update: ScriptUpdate) -> str:
    return ", ".join(f"{name} = {value:.6g}" for name, value in update.constants.items())


def _worked(update: ScriptUpdate, m: Messages) -> list[Part]:
    """The formulas with the numbers of one element, computed line by line as the optimizer does."""
    step = update.parameters[0]
    [j] = largest({"": step.gradient}, 1)[""]
    values = {name: np.float64(value) for name, value in update.constants.items()}
    values |= {"w": step.old.flat[j], "grad": step.gradient.flat[j]}
    values |= {name: before.flat[j] for name, (before, _) in step.kept.items()}
    values = {name: np.float64(value) for name, value in values.items()}
    parts: list[Part] = [prose(m.worked, element=_label(step.name, step.old, int(j)))]
    for formula in update.formulas:
        numbers = {name: _short(value) for name, value in values.items()}
        name = formula.partition(" ←")[0]
        with np.errstate(all="ignore"):
            result = evaluate(formula, values)
        parts.append(Formula(f"{name} ← {with_numbers(formula, numbers)} = {_short(result)}"))
    return parts


def _short(value: float) -> str:
    """A number with six digits, with the minus sign of formulas."""
    text = f"{float(value):.6g}"
    return f"−{text[1:]}" if text.startswith("-") else text


def _label(name: str, array: Array, j: int) -> str:
    """An element as it is written in Python: ``W1[2, 3]``."""
    place = np.unravel_index(j, array.shape)
    return clean(name) if array.size == 1 else f"{clean(name)}[{', '.join(map(str, place))}]"


def _update_tables(update: ScriptUpdate, m: Messages) -> list[Part]:
    """Tables of old value, gradient, new value and optimizer state of the elements with the largest gradients."""
    chosen = largest({step.name: step.gradient for step in update.parameters}, _ELEMENTS)
    labels = [
        _label(step.name, step.old, int(j)) for step in update.parameters for j in chosen[step.name]
    ]

    def column(part: str, letter: str = "", side: int = 0) -> Array:
        return np.concatenate(
            [
                _side(step, part, letter, side).ravel()[chosen[step.name]]
                for step in update.parameters
            ]
        )

    first = Column(m.element, "name", numeric=False)
    old, new = formats_together(column("old"), column("new"))
    changed = [
        (Column(m.old), old),
        _column(m.gradient, column("gradient"), "gradient"),
        _column(m.change_of_value, column("new") - column("old")),
        (Column(m.new), new),
    ]
    tables: list[Part] = [_labelled(first, labels, changed)]
    kept = [
        _column(heading.format(letter=letter), column("kept", letter, side))
        for letter in update.parameters[0].kept
        for side, heading in enumerate((m.before, m.after))
    ]
    return [*tables, _labelled(first, labels, kept)] if kept else tables


def _side(step: ParameterStep, part: str, letter: str, side: int) -> Array:
    array = step.kept[letter][side] if part == "kept" else getattr(step, part)
    return np.asarray(array, dtype=float)


def _check(e: OpenedScript, m: Messages) -> list[Part]:
    check = e.check
    shapes = {node.name: node.values for node in e.nodes}
    labels = [_label(name, shapes[name], j) for name, j in check.elements]
    backward, difference = formats_together(check.backward, check.finite_difference)
    table = _labelled(
        Column(m.element, "name", numeric=False),
        labels,
        [(Column("backward()", "gradient"), backward), (Column(m.finite_difference), difference)],
    )
    parts: list[Part] = [
        prose(m.check_script, h=f"{check.h:.4g}"),
        Formula("(L(θ + h) − L(θ − h)) / (2h)"),
        table,
    ]
    if len(labels) < check.parameters:
        parts.append(prose(m.check_largest, checked=len(labels), parameters=check.parameters))
    if np.isfinite(check.disagreement):
        largest_gradient = formats_together([np.abs(check.backward).max(initial=0.0)])[0][0]
        disagreement = f"{check.disagreement:.1e}"
        parts.append(
            prose(m.check_script_after, disagreement=disagreement, largest=largest_gradient)
        )
    else:
        parts.append(prose(m.check_diverged))
    return [*parts, prose(m.rounded)]


def _column(heading: str, numbers: Array, kind: str = "value") -> tuple[Column, list[str]]:
    return Column(heading, "gradient" if kind == "gradient" else "value"), formats_together(
        numbers
    )[0]


def _labelled(first: Column, labels: list[str], columns: list[tuple[Column, list[str]]]) -> Table:
    rows = zip(labels, *(texts for _, texts in columns), strict=True)
    return Table((first, *(column for column, _ in columns)), tuple(rows))
