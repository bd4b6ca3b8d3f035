"""Where SGD settles on a loss that is not quadratic: near the optimum at small rates, as far above it as its noise takes it at others."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.theory.closure import Closure
from learnrate.theory.local import Local
from learnrate.training.losses.base import Loss
from learnrate.training.losses.expected import ExpectedLoss
from learnrate.training.losses.optimum import Optimum

__all__ = ["Settling"]

_SMALL = 0.02
"""Below this part of the limit slopes are as good as straight lines."""
_LARGE = 2.5
"""Beyond so many times the limit nothing is said."""
_RATES = 10
"""Rates at which it is worked out; between them it is interpolated."""
_OUTPUTS = 200_000
"""Outputs of all examples at all nodes; of more, evenly spaced examples are taken."""
_MOST = 150
"""Parameters of the largest problem for which it is worked out."""


class Settling:
    """The excess loss at which a rate settles.

    Parameters
    ----------
    loss : Loss
    X, y : arrays, shapes (n, d) and (n,)
        Examples.
    found : Optimum
        Their optimum.
    local : Local
        SGD near it.
    """

    def __init__(
        self, loss: Loss, X: Float[Array, "n d"], y: Array, found: Optimum, local: Local
    ) -> None:
        self.loss, self.local = loss, local
        self._X, self._y, self._theta = X, y, found.theta

    @property
    def follows_slopes(self) -> bool:
        """Whether it knows that slopes are no straight lines, which takes few enough parameters."""
        return len(self.local.eigenvalues) <= _MOST

    def excess(self, lrs: Float[Array, " K"], *, shuffle: bool) -> Float[Array, " K"]:
        """How far above ``L(θ*)`` the mean loss settles at epoch ends.

        Infinite where it does not settle, as far as is known; NaN where nothing is.
        """
        near = self.local.excess(lrs, shuffle=shuffle)
        limit = self.local.limit
        far = lrs > _SMALL * limit
        if not far.any() or not self.follows_slopes or not self.local.p:
            return near
        far &= lrs < (_LARGE if self.loss.bounded else 1.0) * limit
        if not far.any():
            return near
        at = np.geomspace(_SMALL * limit, max(float(lrs[far].max()), 2 * _SMALL * limit), _RATES)
        if far.sum() < _RATES:
            at = np.unique(np.append(_SMALL * limit, lrs[far]))
        found = self._closure(shuffle).excess(at)
        known = np.isfinite(found) & (found > 0)
        seam = float(self.local.excess(at[:1], shuffle=shuffle)[0])
        if known.sum() < 2 or not known[0] or not np.isfinite(seam):
            return near
        found *= seam / found[0]  # both hold there, and one of them may be of a sample
        between = np.exp(np.interp(np.log(lrs), np.log(at[known]), np.log(found[known])))
        between[lrs > at[known].max() * 1.001] = np.nan
        return np.where(far, between, near)

    def _closure(self, shuffle: bool) -> Closure:
        return self._shuffled if shuffle else self._independent

    @cached_property
    def _shuffled(self) -> Closure:
        return self._made(-(-self.local.n // self.local.batch_size))

    @cached_property
    def _independent(self) -> Closure:
        return self._made(None)

    def _made(self, steps: int | None) -> Closure:
        local, C = self.local, self.loss.outputs
        nodes = 31 if C == 1 else 64
        every = max(1, -(-len(self._y) * C * nodes // _OUTPUTS))
        X = np.column_stack([self._X, np.ones(len(self._X))])[::every]
        directions = local.directions.reshape(C, X.shape[1], -1)
        return Closure(
            ExpectedLoss(self.loss, self._y[::every]),
            X @ self._theta.T,
            np.einsum("nd,cdr->ncr", X, directions),
            local.decay,
            local.p,
            steps,
        )
