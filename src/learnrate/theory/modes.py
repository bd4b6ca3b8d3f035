"""The examples in the coordinates of the Hessian's eigenvectors, which all other files of this folder use."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.errors import DataError, OptionError
from learnrate.theory.directions import Directions
from learnrate.theory.examples import Examples, Rotated
from learnrate.theory.spectrum import Spectrum, hessian_spectrum

__all__ = ["INITIAL_SCALE", "Modes", "batch_variance"]

INITIAL_SCALE = 0.01  # as in learnrate.data.initial_weights, which tests compare

# At most so many steps of iterative refinement of θ*, each of which takes two passes over the examples.
_REFINEMENTS = 3
# After a step of this relative size the error is about its square, which is below the rounding of float64.
_REFINED = 1e-9
# The fourth power of this number still fits into float64.
_LARGEST = 1e70
# Multiplications, rows · r², for the fourth moments along directions, …
_WORK = 2e9
# … for a coarse estimate of them, …
_COARSE_WORK = 2e8
# … but so many examples per direction in any case.
_ROWS_PER_DIRECTION = 4
_SUBSET_SEED = 0


class Modes:
    """Examples, their least-squares optimum and the Hessian's eigenvectors, each computed on first use.

    The regularised loss ``L(θ) + ½α‖w‖²`` has the Hessian ``H + αP = Q diag(λ) Qᵀ`` and the optimum
    ``θ*``. In the coordinates ``δ = Qᵀ(θ − θ*)`` one step of SGD on the minibatch J is::

        δ ← δ − η (1/|B|) Σ_{i∈J} (z_i z_iᵀ δ − ε_i z_i) − η α Qᵀ P (Qδ + θ*)

    with ``z_i = Qᵀx̃_i`` and ``ε_i = y_i − x̃_iᵀθ*``. Directions orthogonal to all examples are left out, because SGD
    never moves along them.

    Parameters
    ----------
    X : array, shape (n, d)
        Features, without the column of ones.
    y : array, shape (n,)
        Labels.
    weight_decay : float
        α; the bias is not decayed.
    population : int, optional
        Number of examples, if X and y are a sample of them.
    one : float or None
        The number that is multiplied by the bias; None if the last column of X holds it for each example.

    Raises
    ------
    DataError
        If the arrays are empty, have shapes that do not match, or hold NaN, infinity or numbers from 1e70 on.
    OptionError
        If α is negative, or 1e70 or more.
    """

    def __init__(
        self,
        X: Array,
        y: Array,
        *,
        weight_decay: float = 0.0,
        population: int | None = None,
        one: float | None = 1.0,
    ) -> None:
        if X.ndim != 2 or y.shape != X.shape[:1] or not len(y):
            raise DataError(
                "X must have the shape (n, d) and y the shape (n,) with n ≥ 1. "
                f"Got {X.shape} and {y.shape} instead; give one label per row of X."
            )
        self.examples = Examples(X, one)
        self.y: Float[Array, " n"] = np.asarray(y, dtype=np.float64)
        for name, values in (("X", self.examples), ("y", Examples(self.y[:, None]))):
            largest = values.largest  # is NaN or infinite if any value is
            if not largest < _LARGEST:
                raise DataError(
                    f"{name} must hold finite numbers below {_LARGEST:g}. Got {largest:g} instead; "
                    "drop or fill such examples, or rescale the column."
                )
        if not 0 <= weight_decay < _LARGEST:
            raise OptionError(
                f"weight_decay must be at least 0 and below {_LARGEST:g}. Got {weight_decay} instead; "
                "0 turns it off."
            )
        self.weight_decay = float(weight_decay)
        self.population = len(y) if population is None else population

    @property
    def n(self) -> int:
        """Number of rows: the whole `population`, or a sample of it."""
        return self.examples.shape[0]

    @property
    def rank(self) -> int:
        """r, the number of directions in which the loss is not constant."""
        return self.spectrum.rank

    @cached_property
    def spectrum(self) -> Spectrum:
        """Eigenvalues and eigenvectors of ``H + αP``."""
        return hessian_spectrum(self.examples, weight_decay=self.weight_decay)

    @property
    def eigenvalues(self) -> Float[Array, " r"]:
        """``λ``, ascending, without zeros."""
        return self.spectrum.eigenvalues

    @cached_property
    def Z(self) -> Float[Array, "n r"]:
        """``z_i = Qᵀ x̃_i``, one row per example."""
        return self.examples @ self.spectrum.vectors

    @cached_property
    def optimum(self) -> Float[Array, " D"]:
        """``θ*``: the minimum of the loss (with weight decay: of the regularised loss).

        If there is more than one minimum, it is the one with the smallest norm. Source:
        Golub and Van Loan, *Matrix Computations*, sections 5.5 and 3.5.3 (iterative refinement).
        """
        Q, lam = self.spectrum.vectors, self.eigenvalues
        step = (Q.T @ (self.examples.pull(self.y) / self.n)) / lam
        theta: Array = Q @ step
        length, fit = np.linalg.norm(step), np.linalg.norm(np.sqrt(lam) * step)
        for _ in range(_REFINEMENTS):
            descent = self.examples.pull(self.y - self.examples @ theta) / self.n
            descent[:-1] -= self.weight_decay * theta[:-1]
            step = (Q.T @ descent) / lam
            theta += Q @ step
            refined = np.linalg.norm(step) <= _REFINED * length
            if refined and np.linalg.norm(np.sqrt(lam) * step) <= _REFINED * fit:
                break
        return theta

    @cached_property
    def residuals(self) -> Float[Array, " n"]:
        """``ε_i = y_i − x̃_iᵀθ*``."""
        fitted: Array = self.examples @ self.optimum
        return self.y - fitted

    @cached_property
    def loss_at_optimum(self) -> float:
        """``L(θ*) = ½ mean ε²``; without weight decay that is the least loss ``L*``."""
        return 0.5 * float(np.mean(self.residuals**2))

    @cached_property
    def decay(self) -> Float[Array, "r r"]:
        """``α QᵀPQ``: weight decay in these coordinates."""
        W = self.spectrum.vectors[:-1]
        return self.weight_decay * (W.T @ W)

    @cached_property
    def data_hessian(self) -> Float[Array, "r r"]:
        """``G = mean z zᵀ = diag(λ) − α QᵀPQ``: the Hessian without weight decay."""
        return np.diag(self.eigenvalues) - self.decay

    @cached_property
    def data_slope(self) -> Float[Array, " r"]:
        """``ḡ = mean ε z``: minus the gradient of the data loss at θ*, which weight decay balances; 0 without it."""
        if not self.weight_decay:
            return np.zeros(self.rank)
        return self.spectrum.vectors[:-1].T @ self.optimum[:-1] * self.weight_decay

    @cached_property
    def noise(self) -> Float[Array, "r r"]:
        """``mean ε² z zᵀ``, over all examples."""
        return self.noise_along(self.sample(self.n))

    def noise_along(self, along: Rotated) -> Float[Array, "r r"]:
        """``mean ε² z zᵀ`` over the examples of ``along``."""
        total = np.zeros((self.rank, self.rank))
        for Z, residuals in along.blocks(residuals=True):
            assert residuals is not None
            total += (Z.T * residuals**2) @ Z
        return total / along.rows

    @cached_property
    def directions(self) -> Directions:
        """Fourth moments along the directions; from a sample where n · r² is large."""
        return self._directions(_WORK)

    @cached_property
    def coarse_directions(self) -> Directions:
        """`directions` from fewer examples, where two digits are enough."""
        if self._most_rows(_COARSE_WORK) >= self.n:
            return self.directions
        return self._directions(_COARSE_WORK)

    def _directions(self, work: float) -> Directions:
        along = self.sample(self._most_rows(work))
        influence = 1 / (self.population * self.eigenvalues)
        return Directions(along, self.data_hessian, self.data_slope, influence)

    def _most_rows(self, work: float) -> int:
        return max(int(work / self.rank**2), _ROWS_PER_DIRECTION * self.rank)

    def sample(self, most: int) -> Rotated:
        """All examples, or ``most`` of them drawn at random with a fixed seed, along the directions."""
        chosen = None
        if self.n > most:
            rng = np.random.default_rng(_SUBSET_SEED)
            chosen = rng.choice(self.n, most, replace=False, shuffle=False)
        return Rotated(self.examples, self.spectrum.vectors, chosen, self._known_residuals)

    def _known_residuals(self) -> Float[Array, " n"]:
        return self.residuals  # a method, not a lambda, so that results can be pickled

    def strongest_rows(self, most: int) -> Float[Array, "rows r"]:
        """``z_i`` of the examples with the largest leverage, if the features were uncorrelated; at most ``most`` of them."""
        X = self.examples.X
        square = np.einsum("ij,ij->j", X, X)
        leverage = np.einsum("ij,ij,j->i", X, X, 1 / np.where(square > 0, square, np.inf))
        rows = np.argpartition(leverage, -min(most, len(X)))[-most:]
        return np.concatenate([b @ self.spectrum.vectors for b in self.examples.blocks(rows)])

    def start(
        self, weights: Float[Array, " d"] | None = None
    ) -> tuple[Float[Array, " r"], Float[Array, "r r"]]:
        """Mean and second moment of δ at the start of training, with the given weights and ``b = 0``.

        Without weights they are averaged over learnrate's own initial weights, ``w ~ N(0, 0.01²)``.
        """
        Q = self.spectrum.vectors
        m = -(Q.T @ self.optimum)
        if weights is not None:
            m += Q[:-1].T @ weights
            return m, np.outer(m, m)
        return m, np.outer(m, m) + INITIAL_SCALE**2 * (Q[:-1].T @ Q[:-1])


def batch_variance(n: int, batch_size: int, *, replacement: bool = False) -> float:
    """``p``: the variance of a minibatch mean divided by the variance of one example.

    ``p = 1/B`` if examples are drawn with replacement, and ``(n − B) / (B(n − 1))`` without, as learnrate draws them.

    Source: Cochran, *Sampling Techniques*, theorem 2.2.

    Raises
    ------
    OptionError
        If ``B < 1``, or ``B > n`` without replacement.
    """
    if batch_size < 1 or (batch_size > n and not replacement):
        raise OptionError(
            f"batch_size must be between 1 and the number of examples, {n}. Got {batch_size} instead."
        )
    if replacement:
        return 1 / batch_size
    return (n - batch_size) / (batch_size * (n - 1)) if n > 1 else 0.0
