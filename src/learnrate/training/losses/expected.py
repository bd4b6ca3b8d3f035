"""Means of a loss and its derivatives over normally distributed outputs of each example."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.theory.closure import Averages
from learnrate.training.losses.base import Loss

__all__ = ["ExpectedLoss"]

_NODES = 31
"""Number of Gauss–Hermite nodes, for one output."""
_POINTS = 32
"""Number of Sobol points, which are used with both signs, for several outputs."""


class ExpectedLoss:
    """``E φ(z, y)`` and its derivatives for ``z ~ N(μ, S)``.

    One output is integrated by the Gauss–Hermite rule, several by quasi-random points that have the mean and covariance
    of the distribution.

    Parameters
    ----------
    loss : Loss
        The loss of one example.
    y : array, shape (n,)
        Labels.
    """

    def __init__(self, loss: Loss, y: Array) -> None:
        self.loss, self.y, self._t = loss, y, loss.encode(y, np.float64)

    @cached_property
    def _rule(self) -> tuple[Float[Array, "C nodes"], Float[Array, " nodes"]]:
        """Standard normal points, and their weights."""
        C = self.loss.outputs
        if C == 1:
            nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
            return nodes[None], weights / weights.sum()
        from scipy import stats  # imported here because it takes long

        points = stats.norm.ppf(stats.qmc.Sobol(C, seed=0).random(_POINTS)).T
        points = np.hstack([points, -points])
        whiten = np.linalg.inv(np.linalg.cholesky(points @ points.T / points.shape[1]))
        return whiten @ points, np.full(points.shape[1], 1 / points.shape[1])

    def __call__(self, mean: Float[Array, "n C"], spread: Float[Array, "n C C"]) -> Averages:
        """The means for every example, with outputs of this mean and covariance."""
        n, C = mean.shape
        nodes, weights = self._rule
        if C == 1:
            root = np.sqrt(np.maximum(spread, 0))
        else:
            tiny = 1e-12 * (np.trace(spread, axis1=1, axis2=2)[:, None, None] + 1e-300)
            root = np.linalg.cholesky(spread + tiny * np.eye(C))
        z = mean[:, :, None] + root @ nodes
        value = self.loss.value(z, self._t) @ weights
        if not self.loss.of_classes:
            flat = z.transpose(0, 2, 1).reshape(-1, C)
            second = self.loss.second_derivative(flat, np.repeat(self.y, len(weights)))
            second = np.einsum("nkcd,k->ncd", second.reshape(n, -1, C, C), weights)
        derivatives = self.loss.derivative(z, self._t)
        squares = (derivatives * weights) @ derivatives.transpose(0, 2, 1)
        first = derivatives @ weights
        if self.loss.of_classes:
            second = self._second_derivative_of_classes(first, squares)
        return Averages(value, first, second, squares)

    def _second_derivative_of_classes(
        self, first: Float[Array, "n C"], squares: Float[Array, "n C C"]
    ) -> Float[Array, "n C C"]:
        """``E[diag(p) − p pᵀ]`` from the other means: the probabilities are ``p = φ' + e``, where e is 1 at the example's class."""
        C = first.shape[1]
        own = self.y[:, None].astype(np.float64) if C == 1 else np.eye(C)[self.y]
        p, both = first + own, first[:, :, None] * own[:, None, :]
        pp = squares + both + both.transpose(0, 2, 1) + own[:, :, None] * own[:, None, :]
        return np.asarray(p[:, :, None] * np.eye(C) - pp)
