"""A bowl with a long and a short axis, paths down it, and what is known of them beforehand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from learnrate.book.note.landscape import Landscape
from learnrate.book.note.momentum import rules

__all__ = ["START", "Bowl", "Path", "best_rates", "edges", "factor", "limit", "steps_to_shrink"]

START = (-9.0, 3.0)
"""Where paths begin, unless told otherwise."""


@dataclass(frozen=True)
class Bowl:
    """``f(θ) = ½ θᵀHθ`` with eigenvalues 1 and 1/κ; the long axis is turned from θ₁ by an angle in degrees."""

    kappa: float
    angle: float = 0.0
    start: tuple[float, float] = START

    @property
    def eigenvalues(self) -> Any:
        """``(1/κ, 1)``."""
        return np.array([1 / self.kappa, 1.0])

    @property
    def axes(self) -> Any:
        """The directions of the long and of the short axis, as columns."""
        turn = np.deg2rad(self.angle)
        return np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])

    @property
    def H(self) -> Any:
        """The Hessian, shape (2, 2)."""
        return self.axes @ np.diag(self.eigenvalues) @ self.axes.T

    @property
    def landscape(self) -> Landscape:
        """Its contours."""
        return Landscape(np.zeros(2), 0.0, self.H)

    def sgd(self, lr: float, steps: int) -> Path:
        """Gradient descent: every step uses the whole bowl."""
        return self._path(lambda state, g, t: (rules.sgd(state[0], g, lr),), 0, steps)

    def momentum(self, lr: float, mu: float, steps: int) -> Path:
        """Gradient descent with momentum; the state is v."""
        return self._path(
            lambda state, g, t: rules.momentum(state[0], state[1], g, lr, mu), 1, steps
        )

    def adam(self, lr: float, beta1: float, beta2: float, steps: int) -> Path:
        """Adam; the states are m and v."""
        return self._path(
            lambda state, g, t: rules.adam(state[0], state[1], state[2], g, t, lr, beta1, beta2),
            2,
            steps,
        )

    def _path(self, rule: Callable[[Any, Any, int], Any], kept: int, steps: int) -> Path:
        H = self.H
        states = [(np.array(self.start), *[np.zeros(2)] * kept)]
        with np.errstate(all="ignore"):
            for t in range(1, steps + 1):
                states.append(rule(states[-1], H @ states[-1][0], t))
            points = np.array([state[0] for state in states])
            gradients = points @ H
            losses = 0.5 * np.einsum("ti,ti->t", points, gradients)
        return Path(points, gradients, np.array(states), np.where(np.isnan(losses), np.inf, losses))


@dataclass(frozen=True, eq=False)
class Path:
    """A run of T steps.

    Attributes
    ----------
    points, gradients : array, shape (T + 1, 2)
        θ after every step, and the gradient there.
    states : array, shape (T + 1, 1 + kept, 2)
        θ and what the rule keeps.
    losses : array, shape (T + 1,)
        f(θ).
    """

    points: Any
    gradients: Any
    states: Any
    losses: Any

    def steps_below(self, loss: float) -> int | None:
        """After how many steps the loss is below a value and stays there; None if it is not at the end."""
        above = np.flatnonzero(~(self.losses < loss))
        first = 0 if above.size == 0 else int(above[-1]) + 1
        return first if first < len(self.losses) else None


def factor(lr: Any, mu: float, eigenvalues: Any) -> Any:
    """By how much the distance shrinks in a step, in the long run, for rates of any shape: that of the slowest direction.

    The larger root of ``z² − (1 + μ − ηλ) z + μ = 0``; √μ where the roots are complex.
    """
    half = (1 + mu - np.multiply.outer(lr, eigenvalues)) / 2
    apart = half**2 - mu
    roots = np.where(apart < 0, np.sqrt(mu), np.abs(half) + np.sqrt(np.maximum(apart, 0)))
    return roots.max(axis=-1)


def limit(mu: float, largest: float) -> float:
    """``2(1 + μ)/λmax``: beyond it the steps grow."""
    return 2 * (1 + mu) / largest


def best_rates(kappa: float) -> tuple[float, float, float]:
    """For λmax = 1 and λmin = 1/κ: the best η without momentum, and the best η and μ with it.

    ``2/(λmin + λmax)``; ``(2/(√λmin + √λmax))²`` and ``((√κ − 1)/(√κ + 1))²``.

    Source: Polyak (1964), *Some methods of speeding up the convergence of iteration methods*.
    """
    root = np.sqrt(kappa)
    return (
        2 / (1 + 1 / kappa),
        float((2 / (1 + 1 / root)) ** 2),
        float(((root - 1) / (root + 1)) ** 2),
    )


def steps_to_shrink(rho: Any, times: float = 1000.0) -> Any:
    """After how many steps with such a factor the distance is so many times smaller: ``ln(times)/−ln ρ``; else infinite."""
    with np.errstate(all="ignore"):
        return np.where(rho < 1, np.log(times) / -np.log(rho), np.inf)


def edges(mu: float, eigenvalues: Any, steps: int, lowest: float) -> tuple[float, float]:
    """Between which rates so many steps are enough to shrink the distance 1000 times; the best rate twice where none is."""
    lrs = np.geomspace(lowest, limit(mu, float(np.max(eigenvalues))), 600)[:-1]
    needed = steps_to_shrink(factor(lrs, mu, eigenvalues))
    enough = np.flatnonzero(needed <= steps)
    first, last = (enough[0], enough[-1]) if enough.size else [int(np.argmin(needed))] * 2
    return float(lrs[first]), float(lrs[last])
