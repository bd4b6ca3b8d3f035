"""The excess loss at which SGD settles, for a loss that is not quadratic: near the optimum, and for larger rates."""

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
"""Below this share of the limit the gradient counts as linear in the error."""
_LARGE = 2.5
"""Above this multiple of the limit no excess is computed."""
_RATES = 10
"""Number of rates at which it is computed; between them it is interpolated."""
_OUTPUTS = 200_000
"""Outputs of all examples at all nodes; if there are more, evenly spaced examples are used."""
_MOST = 150
"""The largest number of parameters for which it is computed."""


class Settling:
    """The loss at which SGD settles, minus the loss at the optimum.

    Parameters
    ----------
    loss : Loss
        The loss of one example.
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
        """Whether the gradient is not taken to be linear in the error; that needs few enough parameters."""
        return len(self.local.eigenvalues) <= _MOST

    def excess(self, lrs: Float[Array, " K"], *, shuffle: bool) -> Float[Array, " K"]:
        """Mean loss at epoch ends, once settled, minus ``L(θ*)``; infinite if it does not settle, NaN if not known."""
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
        found *= seam / found[0]  # both are valid there, and one may be computed from a sample
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
