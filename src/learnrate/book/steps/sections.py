"""The sections of the explanation of a training step, in the order in which the code runs."""

from __future__ import annotations

import numpy as np

from learnrate.book.steps.abridging import Omitted, abridge
from learnrate.book.steps.formats import clean, formats_together
from learnrate.book.steps.messages import Messages, prose
from learnrate.book.steps.opened import Opened
from learnrate.book.steps.opened_step import OpenedStep
from learnrate.book.steps.parts import Part, Section
from learnrate.book.steps.tables import (
    Limits,
    attached_table,
    backward_table,
    check_table,
    forward_table,
    minibatch_table,
    terms_table,
    update_table,
)

__all__ = ["facts", "is_finite", "remarks", "sections"]

_LEFT_OUT = 8
_LOSSES = {
    "squared": "squared_loss(linreg(X, w, b), y)",
    "logistic": "nd.softrelu((1 - 2 * y) * linreg(X, w, b))",
    "softmax": "-nd.pick(nd.log_softmax(linreg(X, w, b)), y)",
}
"""The code of each loss; see `learnrate.linear.recorded_losses`."""
_NODES = {"squared": "r", "logistic": "z", "softmax": "o"}
"""A node whose gradient is used as an example in the text."""


def facts(e: OpenedStep, m: Messages) -> list[tuple[str, str]]:
    """Facts for the head of the page: (name, value)."""
    place = m.place.format(
        step=e.step, epoch=e.epoch, minibatch=e.minibatch, minibatches=e.minibatches
    )
    return [
        (m.examples, f"{e.n:,}"),
        (m.features, f"{e.X.shape[1]:,}"),
        (m.target, clean(e.target_name)),
        (m.lr, f"{e.lr:g}"),
        (m.batch_size, f"{e.batch_size:,}"),
        (m.seed, str(e.seed)),
        (m.step, place),
    ]


def remarks(e: OpenedStep, m: Messages) -> list[str]:
    """Sentences that say how the table was changed, and whether training diverged."""
    found = [clean(note) for note in e.notes]
    if e.left_out:
        names = [
            m.more_columns.format(count=item) if isinstance(item, Omitted) else clean(item)
            for item in abridge(e.left_out, _LEFT_OUT)
        ]
        found.append(m.left_out.format(columns=", ".join(names)))
    if not is_finite(e):
        found.append(m.diverged)
    return found


def is_finite(e: Opened) -> bool:
    """Whether every number of the graph is finite."""
    arrays = [node.values for node in e.nodes]
    arrays += [node.gradient for node in e.nodes if node.gradient is not None]
    return all(bool(np.isfinite(array).all()) for array in arrays)


def sections(e: OpenedStep, m: Messages, limits: Limits) -> tuple[Section, ...]:
    """All sections of an explanation."""
    return (
        Section(
            "attach_grad",
            m.attach_title,
            "w.attach_grad()\nb.attach_grad()",
            (prose(m.attach), attached_table(e, m, limits), prose(m.attach_after)),
        ),
        _minibatch(e, m, limits),
        Section(
            "forward",
            m.forward_title,
            f"    with autograd.record():\n        loss = {_LOSSES[e.loss]}",
            (prose(m.of("model", e.loss) + m.forward), forward_table(e, m, limits)),
        ),
        Section(
            "backward",
            m.backward_title,
            "    loss.backward()",
            (
                prose(m.backward, node=_NODES[e.loss]),
                backward_table(e, m, limits),
                prose(m.backward_after),
            ),
        ),
        _update(e, m, limits),
        _check(e, m, limits),
    )


def _minibatch(e: OpenedStep, m: Messages, limits: Limits) -> Section:
    parts = [prose(m.minibatch, batch_size=e.batch_size)]
    if len(e.y) < e.batch_size:
        parts.append(prose(m.short_batch, rows=len(e.y), batch_size=e.batch_size))
    if e.classes:
        named = ", ".join(
            m.more_values.format(count=item).strip() if isinstance(item, Omitted) else item
            for item in abridge(
                [f"{code} {clean(name)}" for code, name in enumerate(e.classes)], _LEFT_OUT
            )
        )
        parts.append(prose(m.class_numbers, classes=named))
    if e.standardized:
        parts.append(prose(m.standardized))
    return Section(
        "minibatch",
        m.minibatch_title,
        "for X, y in data_iter(batch_size, features, labels):",
        (*parts, minibatch_table(e, m, limits)),
    )


def _update(e: OpenedStep, m: Messages, limits: Limits) -> Section:
    rate = f"{e.lr / e.batch_size:.4g}"
    before, after = formats_together([e.loss_before], [e.loss_after])
    return Section(
        "update",
        m.update_title,
        "    sgd([w, b], lr, batch_size)",
        (
            prose(m.update, lr=f"{e.lr:g}", batch_size=e.batch_size, rate=rate),
            update_table(e, m, limits),
            prose(m.update_after, before=before[0], after=after[0]),
        ),
    )


def _check(e: OpenedStep, m: Messages, limits: Limits) -> Section:
    check = e.check
    parts: list[Part] = [
        prose(m.check_by_hand + m.of("by_hand", e.loss) + m.check_terms),
        terms_table(e, m, limits),
        prose(m.check_difference, h=f"{check.h:.4g}"),
        check_table(e, m, limits),
    ]
    checked, parameters = int(check.checked.sum()), check.checked.size
    if checked < parameters:
        parts.append(prose(m.check_some, checked=checked, parameters=parameters))
    largest = formats_together([np.abs(check.backward).max()])[0][0]
    if np.isfinite(check.disagreement):
        disagreement = f"{check.disagreement:.1e}"
        parts.append(prose(m.check_after, disagreement=disagreement, largest=largest))
    else:
        parts.append(prose(m.check_diverged))
    return Section("check", m.check_title, "", (*parts, prose(m.rounded)))
