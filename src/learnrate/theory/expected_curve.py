"""The loss to be expected after each epoch, and its floor, with independently drawn minibatches.

In the coordinates of `learnrate.theory.modes` let ``m = E δ`` and ``Σ = E δδᵀ``. Then, for any data::

    m' = (I − ηΛ) m
    Σ' = (I − ηΛ) Σ (I − ηΛ) + η² p [C(Σ) − 2 B(m) + V]
    E L = L(θ*) − ḡᵀm + ½ tr(GΣ)

    C(Σ) = (1/n) Σ_i (z_iᵀ Σ z_i) z_i z_iᵀ − G Σ G
    B(m) = (1/n) Σ_i ε_i (z_iᵀ m) z_i z_iᵀ − ½ (G m ḡᵀ + ḡ mᵀ G)
    V    = (1/n) Σ_i ε_i² z_i z_iᵀ − ḡ ḡᵀ

(without weight decay ``G = Λ = diag(λ)`` and ``ḡ = 0``). The recursion is linear in Σ, so with the
eigenvectors of its matrix any number of steps costs no more than one.

Source: the moments of the linear recursion, as for LMS in Haykin, *Adaptive Filter Theory*, chapter 6,
without its independence and Gaussian assumptions; p from `learnrate.theory.modes.batch_variance`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from learnrate._shapes import Array, Float, Int
from learnrate.theory.fourth_moment import Pairs, pair_covariance
from learnrate.theory.modes import Modes, batch_variance
from learnrate.theory.prediction import Prediction, finite_or_infinite
from learnrate.theory.quantity import Kind

__all__ = ["independent_curve", "independent_floor"]

_EVERY_PAIR_RANK = 21
_WORK = 2e10  # examples · pairs²: beyond, some examples stand for all
_SUBSET_SEED = 0
_EQUAL = 1e-7


def independent_curve(
    modes: Modes,
    batch_size: int,
    lrs: Float[Array, " K"],
    epochs: int,
    *,
    replacement: bool = False,
    weights: Float[Array, " d"] | None = None,
) -> Prediction:
    """Expected loss before training and after each epoch of ``⌈n/B⌉`` independent minibatches.

    Up to rank 21 exact. For wider examples only the diagonal of Σ is followed, which neglects how
    correlations between directions feed back; that is an estimate, and exact for Gaussian features.

    Parameters
    ----------
    modes : Modes
        The examples, with weight decay if there is any.
    batch_size : int
        B.
    lrs : array, shape (K,)
        Learning rates.
    epochs : int
        How far to follow.
    replacement : bool
        Whether one minibatch may hold an example twice. learnrate's samplings never do.
    weights : array, shape (d,), optional
        A known start ``w``. Without it the expectation is over ``w ~ N(0, 0.01²)`` too. ``b = 0``.

    Returns
    -------
    Prediction
        ``losses`` of shape (K, epochs + 1).
    """
    recursion = _Recursion.of(modes, batch_size, replacement)
    m, second = modes.start(weights)
    x = recursion.pairs.of(second)
    loss = modes.loss_at_optimum
    t = -(-modes.n // batch_size) * np.arange(epochs + 1.0)[:, None]
    losses = np.empty((lrs.size, epochs + 1))
    with np.errstate(all="ignore"):
        for k, lr in enumerate(lrs):
            tau, U = recursion.eigen(lr)
            a = 1 - lr * modes.eigenvalues
            noise, towed = U.T @ recursion.noise, U.T @ (recursion.tow * m)
            now = (U.T @ x) * tau**t
            now += lr**2 * recursion.p * _powers_apart(noise[:, None], tau, np.ones(1), t)
            now -= 2 * lr**2 * recursion.p * _powers_apart(towed, tau, a, t)
            tilt = (m * a**t) @ modes.data_slope
            losses[k] = loss - tilt + 0.5 * now @ (U.T @ recursion.curvature)
    losses = finite_or_infinite(losses)
    return Prediction(lrs, losses, recursion.kind, recursion.note)


def independent_floor(
    modes: Modes, batch_size: int, lrs: Float[Array, " K"], *, replacement: bool = False
) -> Prediction:
    """Where the expected loss settles: the fixed point ``Σ = T(Σ) + η² p V``.

    Infinite from the mean-square limit on. Exact or an estimate as for `independent_curve`.
    """
    recursion = _Recursion.of(modes, batch_size, replacement)
    losses = np.full(lrs.size, np.inf)
    for k, lr in enumerate(lrs):
        tau, U = recursion.eigen(lr)
        if tau[-1] < 1:
            settled = lr**2 * recursion.p * (U.T @ recursion.noise) / (1 - tau)
            losses[k] = modes.loss_at_optimum + 0.5 * settled @ (U.T @ recursion.curvature)
    return Prediction(lrs, losses, recursion.kind, recursion.note)


@dataclass(frozen=True, eq=False)
class _Recursion:
    """The recursion of Σ on the kept pairs: ``x' = T x + η² p (noise − 2 tow m)``."""

    eigenvalues: Float[Array, " r"]
    p: float
    pairs: Pairs
    covariance: Float[Array, "P P"]
    tow: Float[Array, "P r"]
    noise: Float[Array, " P"]
    curvature: Float[Array, " P"]
    kind: Kind
    note: str

    @classmethod
    def of(cls, modes: Modes, batch_size: int, replacement: bool) -> _Recursion:
        p = batch_variance(modes.n, batch_size, replacement=replacement)
        r = modes.rank
        whole = r <= _EVERY_PAIR_RANK
        pairs = Pairs.every(r) if whole else Pairs.diagonal(r)
        kind, note = Kind.EXACT, "second-moment recursion"
        if not whole:
            kind, note = Kind.ESTIMATE, f"{note} of its diagonal"
        rows: Int[Array, " rows"] | None = None
        enough = int(_WORK / pairs.first.size**2)
        Z, residuals = modes.Z, modes.residuals
        if modes.n > enough:
            rows = np.random.default_rng(_SUBSET_SEED).choice(modes.n, enough, replace=False)
            Z, residuals = Z[rows], residuals[rows]
            kind, note = Kind.ESTIMATE, f"{note}, fourth moments from {enough} examples"
        G, g = modes.data_hessian, modes.data_slope
        V = (modes.Z.T * modes.residuals**2) @ modes.Z / modes.n - np.outer(g, g)
        a, b, weight = pairs.first, pairs.second, pairs.weight
        tow = pairs.products(Z).T @ (residuals[:, None] * Z) / len(Z)
        tow -= 0.5 * weight[:, None] * (G[a] * g[b, None] + g[a, None] * G[b])
        covariance = pair_covariance(pairs, Z, G)
        return cls(
            modes.eigenvalues, p, pairs, covariance, tow, pairs.of(V), pairs.of(G), kind, note
        )

    def eigen(self, lr: float) -> tuple[Float[Array, " P"], Float[Array, "P P"]]:
        """Eigenvalues (ascending) and eigenvectors of T at one rate."""
        a = 1 - lr * self.eigenvalues
        T = lr**2 * self.p * self.covariance
        T[np.diag_indices_from(T)] += a[self.pairs.first] * a[self.pairs.second]
        tau, U = np.linalg.eigh(T)
        return tau, U


def _powers_apart(
    coefficients: Float[Array, "P r"],
    tau: Float[Array, " P"],
    a: Float[Array, " r"],
    t: Float[Array, "epochs 1"],
) -> Float[Array, "epochs P"]:
    """``Σ_j c_ij Σ_{k<t} τ_i^{t−1−k} a_j^k``, where the inner sum is ``(τ^t − a^t) / (τ − a)``.

    With its limit ``t τ^{t−1}`` where τ and a are equal.
    """
    apart = tau[:, None] - a
    equal = np.abs(apart) < _EQUAL
    weights = np.where(equal, 0.0, coefficients / np.where(equal, 1.0, apart))
    sums: Array = tau**t * weights.sum(axis=1) - a**t @ weights.T
    for i, j in np.argwhere(equal):
        sums[:, i] += coefficients[i, j] * (t * a[j] ** np.maximum(t - 1, 0))[:, 0]
    return sums
