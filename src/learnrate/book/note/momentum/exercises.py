"""The answers to the exercises of note three, computed when the page is opened."""

from __future__ import annotations

import numpy as np

from learnrate.book.note.catalogue import Texts
from learnrate.book.note.momentum import rules
from learnrate.book.note.momentum.bowl import START, Bowl, Path, best_rates, limit

__all__ = ["answers", "effective", "limits", "turned", "uncorrected"]

_STEPS = 3000


def answers(t: Texts) -> dict[str, str]:
    """Question to answer, in the words of ``t``."""
    found = {
        "effective": effective(),
        "limit": limits(),
        "turn": turned(),
        "correction": uncorrected(),
    }
    return {t(f"{name}_question"): t(f"{name}_answer", **values) for name, values in found.items()}


def effective() -> dict[str, str]:
    """What is left of the distance in a flat direction."""
    flat = Bowl(kappa=100.0)
    paths = {
        "momentum": flat.momentum(0.01, 0.9, 200),
        "ten": flat.sgd(0.1, 200),
        "one": flat.sgd(0.01, 200),
    }
    return {name: f"{path.points[-1, 0] / START[0]:.3f}" for name, path in paths.items()}


def limits() -> dict[str, str]:
    """The loss on both sides of the limit."""
    bowl = Bowl(kappa=10.0)
    values: dict[str, str] = {}
    for name, mu in (("0", 0.0), ("5", 0.5), ("9", 0.9)):
        edge = limit(mu, 1.0)
        below, above = (bowl.momentum(share * edge, mu, 2000).losses[-1] for share in (0.99, 1.01))
        values |= {f"limit{name}": f"{edge:g}", f"below{name}": f"{below:.2g}"}
        values[f"above{name}"] = f"{above:.2g}"
    return values


def turned() -> dict[str, str]:
    """Steps to a small loss on a bowl along the axes, and on one that is turned with the start."""
    kappa = 100.0
    values: dict[str, str] = {}
    plain, lr, mu = best_rates(kappa)
    for angle in (0, 45):
        bowl = Bowl(kappa, angle, tuple(Bowl(kappa, angle).axes @ START))
        paths: dict[str, Path] = {
            "sgd": bowl.sgd(plain, _STEPS),
            "momentum": bowl.momentum(lr, mu, _STEPS),
            "adam": bowl.adam(0.1, 0.9, 0.999, _STEPS),
        }
        for name, path in paths.items():
            steps = path.steps_below(1e-6)
            values[f"{name}{angle}"] = f"> {_STEPS}" if steps is None else str(steps)
    return values


def uncorrected() -> dict[str, str]:
    """The first step of Adam with and without the corrections."""
    start, zero, lr, beta1, beta2 = np.array(START), np.zeros(2), 0.1, 0.9, 0.999
    moved, m, v = rules.adam(start, zero, zero, Bowl(10.0).H @ start, 1, lr, beta1, beta2)
    without = -lr * m / np.sqrt(v)
    return {
        "times": f"{(1 - beta1) / np.sqrt(1 - beta2):.3g}",
        "with": f"{(moved - start)[0]:.4f}",
        "without": f"{without[0]:.4f}",
    }
