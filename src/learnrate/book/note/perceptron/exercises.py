"""The answers to the exercises of note two, computed when the page is opened."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from learnrate.book.note.catalogue import Texts
from learnrate.book.note.perceptron.model import Net, Training, examples, start, trained

__all__ = ["answers", "leaky", "linear", "never_parts", "zero_start"]

_UNITS, _RATE, _STEPS = 8, 0.1, 400


def answers(t: Texts) -> dict[str, str]:
    """Question to answer, in the words of ``t``."""
    found = {"zero": zero_start(), "parts": never_parts(), "leaky": leaky(), "line": linear()}
    return {t(f"{name}_question"): t(f"{name}_answer", **values) for name, values in found.items()}


def _run(net: Net) -> Training:
    X, y = examples()
    return trained(net, X, y, [_RATE], _STEPS)


def zero_start() -> dict[str, str]:
    """What a perceptron learns from weights that are all zero."""
    end = _run(start(_UNITS, kind="zero"))
    y = examples()[1]
    W1, _, W2, b2 = end.nets[-1].arrays
    return {
        "largest": f"{max(np.abs(W1).max(), np.abs(W2).max()):g}",
        "bias": f"{b2[0]:.4f}",
        "mean": f"{y.mean():.4f}",
        "loss": f"{end.losses[0, -1]:.4f}",
        "variance": f"{y.var() / 2:.4f}",
    }


def never_parts() -> dict[str, str]:
    """How far units that begin alike are from one another, and how well they do."""
    values: dict[str, str] = {}
    for name, kind, units in (("same", "equal", 8), ("random", "random", 8), ("one", "equal", 1)):
        end = _run(start(units, kind=kind))
        W1 = end.nets[-1].W1[0, 0]
        values |= {f"apart_{name}": f"{np.ptp(W1):.3g}", f"loss_{name}": f"{end.losses[0, -1]:.4f}"}
    return values


def leaky() -> dict[str, str]:
    """Dead units with ReLU, and the same start with leaky ReLU."""
    X, y = examples()
    values: dict[str, str] = {}
    for name, slope in (("relu", 0.0), ("leaky", 0.01)):
        end = trained(replace(start(_UNITS, bias=-4.0), slope=slope), X, y, [0.2], 2000)
        values |= {
            f"{name}0": str(int((end.nets[0].alive(X) == 0).sum())),
            f"{name}1": str(int((end.nets[-1].alive(X) == 0).sum())),
            f"{name}_loss": f"{end.losses[0, -1]:.4f}",
        }
    return values


def linear() -> dict[str, str]:
    """A perceptron without activation beside least squares."""
    X, y = examples()
    end = trained(replace(start(_UNITS), slope=1.0), X, y, [0.03], 2000)
    A: Any = np.column_stack([X, np.ones(len(y))])
    best, *_ = np.linalg.lstsq(A, y, rcond=None)
    return {
        "loss": f"{end.losses[0, -1]:.6f}",
        "least": f"{0.5 * np.mean((A @ best - y) ** 2):.6f}",
        "relu": f"{_run(start(_UNITS)).losses[0, -1]:.4f}",
    }
