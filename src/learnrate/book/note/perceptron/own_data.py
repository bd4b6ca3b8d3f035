"""Perceptrons on the reader's table, beside linear regression on the same examples."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from learnrate.book.note.catalogue import Texts
from learnrate.book.note.own_data import number, remarks
from learnrate.book.note.perceptron.model import start, trained
from learnrate.book.note.plot import render

__all__ = ["HELD_OUT", "beside_linear"]

HELD_OUT = 0.25
"""Share of the rows that nothing is trained on."""

_RATES = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
_UNITS, _STEPS_PER_EPOCH, _MOST = 8, 40, 5000


def beside_linear(result: Any, t: Texts) -> str:
    """A table: linear regression at its best rate, and a perceptron at each of several, by training and held-out loss.

    Parameters
    ----------
    result : LinearSweepResult
        A sweep with squared loss and held-out rows.
    t : Texts
    """
    began = time.perf_counter()
    X, y = result.data.X_train[:_MOST], result.data.y_train[:_MOST]
    mean, scale = y.mean(), y.std() or 1.0
    net = start(_UNITS, d=X.shape[1])
    training = trained(net, X, (y - mean) / scale, _RATES, _STEPS_PER_EPOCH * result.epochs)
    end = training.nets[-1]
    held_out = end.loss(result.data.X_val, (result.data.y_val - mean) / scale)
    dead = (end.alive(X) == 0).sum(axis=1)
    k = int(np.nanargmin(result.losses[0, :, -1]))
    losses = (number(found[0, k, -1]) for found in (result.losses, result.val_losses))
    rows = [([t("linear"), f"{result.lrs[k]:.3g}", *losses, "–"], False)]
    best = int(np.argmin(held_out))
    for j, lr in enumerate(_RATES):
        cells = [t("perceptron"), f"{lr:g}", number(training.losses[j, -1] * scale**2)]
        cells += [number(held_out[j] * scale**2), f"{dead[j]} / {_UNITS}"]
        rows.append((cells, j == best and bool(np.isfinite(held_out[j]))))
    return render(
        "beside.html",
        t=t,
        seconds=f"{time.perf_counter() - began:.1f}",
        rows_trained=f"{len(y):,}",
        remarks=remarks(result, t),
        headings=["column_model", "column_rate", "column_loss", "column_held_out", "column_dead"],
        rows=rows,
    )
