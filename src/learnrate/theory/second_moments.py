"""The recursion of the second moment with independently drawn minibatches, written as a matrix.

In the coordinates of `learnrate.theory.modes` let ``m = E δ`` and ``Σ = E δδᵀ``. Then, for any data::

    m' = (I − ηΛ) m
    Σ' = (I − ηΛ) Σ (I − ηΛ) + η² p [C(Σ) − 2 B(m) + V]
    E L = L(θ*) − ḡᵀm + ½ tr(GΣ)

    C(Σ) = (1/n) Σ_i (z_iᵀ Σ z_i) z_i z_iᵀ − G Σ G
    B(m) = (1/n) Σ_i ε_i (z_iᵀ m) z_i z_iᵀ − ½ (G m ḡᵀ + ḡ mᵀ G)
    V    = (1/n) Σ_i ε_i² z_i z_iᵀ − ḡ ḡᵀ

(without weight decay ``G = Λ = diag(λ)`` and ``ḡ = 0``). On pairs of directions Σ is a vector x, and::

    x' = T x + η² p (v − 2 B m),   T = diag(a_a a_b) + η² p C,   a = 1 − ηλ

Source: the moments of the linear recursion, as for LMS in Haykin, *Adaptive Filter Theory* (the chapter on
the LMS algorithm), without its independence and Gaussian assumptions; p from `learnrate.theory.modes.batch_variance`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.theory.fourth_moment import Pairs, pair_moments
from learnrate.theory.modes import Modes
from learnrate.theory.quantity import Kind

__all__ = ["SecondMoments"]

_WORK = 2e10  # multiplications that take about a second: beyond, be content with an estimate
_EQUAL = 1e-7
# An eigendecomposition costs as much as this many steps, times the number of pairs.
_EIGEN_COST = 5
# Numbers in the matrices whose eigenvectors are asked for at once.
_TOGETHER = 20_000


@dataclass(frozen=True, eq=False)
class SecondMoments:
    """The recursion on the kept pairs; see the equations above.

    Attributes
    ----------
    pairs : Pairs
        All of Σ, or its diagonal.
    p : float
        Variance of a minibatch mean, see `learnrate.theory.modes.batch_variance`.
    eigenvalues, slope : arrays, shape (r,)
        λ and ḡ.
    covariance : array, shape (P, P)
        C.
    tow : array, shape (P, r)
        B.
    noise, curvature : arrays, shape (P,)
        V and G, as vectors.
    kind, note
        What comes of it is worth, and how it was found.
    """

    pairs: Pairs
    p: float
    eigenvalues: Float[Array, " r"]
    slope: Float[Array, " r"]
    covariance: Float[Array, "P P"]
    tow: Float[Array, "P r"]
    noise: Float[Array, " P"]
    curvature: Float[Array, " P"]
    kind: Kind
    note: str

    @classmethod
    def of(
        cls,
        modes: Modes,
        p: float,
        *,
        rates: int,
        steps: int | None = None,
        coarse: bool = False,
        label_noise: bool = True,
    ) -> SecondMoments:
        """All of Σ where that is quick for so many rates (and steps, if not all at once), or its diagonal.

        ``coarse`` allows it a hundredth of the time. Without ``label_noise`` it is as if the optimum met all
        labels: only the start remains.
        """
        work = _WORK / 100 if coarse else _WORK
        r = modes.rank
        P = r * (r + 1) // 2
        longest = _EIGEN_COST * P
        passes = longest if steps is None else min(longest, steps)
        whole = rates * 2 * passes * P**2 <= work
        kind, note = Kind.EXACT, "second-moment recursion"
        lam, g, G = modes.eigenvalues, modes.data_slope, modes.data_hessian
        if not whole:
            kind, note = Kind.ESTIMATE, f"{note} of its diagonal"
            single = modes.coarse_directions if coarse else modes.directions
            if single.rows < modes.n:
                note = f"{note}, fourth moments from {single.rows} examples"
            tow, V = (
                (single.tow.T, single.noise) if label_noise else (np.zeros((r, r)), np.zeros(r))
            )
            pairs = Pairs.diagonal(r)
            return cls(pairs, p, lam, g, single.spread, tow, V, G.diagonal(), kind, note)
        pairs = Pairs.every(r)
        enough = int(work / P**2)
        if modes.n > enough:
            kind, note = Kind.ESTIMATE, f"{note}, fourth moments from {enough} examples"
        along = modes.sample(enough)
        moments = pair_moments(pairs, along, residuals=label_noise)
        C, tow, V = moments.fourth - pairs.conjugation(G), moments.third, np.zeros(P)
        if label_noise:
            a, b = pairs.first, pairs.second
            tow = tow - 0.5 * pairs.weight[:, None] * (G[a] * g[b, None] + g[a, None] * G[b])
            noise = modes.noise_along(along) if coarse and modes.n > enough else modes.noise
            V = pairs.of(noise - np.outer(g, g))
        return cls(pairs, p, lam, g, C, tow, V, pairs.of(G), kind, note)

    def follow(
        self,
        lrs: Float[Array, " K"],
        m: Float[Array, " r"],
        second: Float[Array, "r r"],
        steps: int,
        epochs: int,
    ) -> Float[Array, "K times"]:
        """``E L − L(θ*)`` at the start and after each epoch of so many steps, from mean and second moment.

        Step by step, or with the eigenvectors of T, by what is quicker. Divergence shows as infinity
        or NaN.
        """
        x = self.pairs.of(second)
        with np.errstate(all="ignore"):
            if epochs * steps < _EIGEN_COST * x.size:
                return self._step_through(lrs, m, x, steps, epochs)
            t = steps * np.arange(1.0, epochs + 1)
            start = 0.5 * x @ self.curvature - m @ self.slope
            together = max(1, _TOGETHER // x.size**2)  # matrices of so many rates are small
            parts = (lrs[at : at + together] for at in range(0, lrs.size, together))
            return np.stack(
                [
                    np.append(start, self._jump(lr, tau, U, m, x, t))
                    for part in parts
                    for lr, tau, U in zip(part, *self._eigen(part), strict=True)
                ]
            )

    def radius(self, lr: float) -> float:
        """Spectral radius of T: the growth of the second moment per step, in the long run."""
        return float(np.abs(self._eigen(np.array([lr]))[0]).max())

    def settled(self, lr: float) -> float:
        """``E L − L(θ*)`` at the fixed point ``x = T x + η² p v``; infinite where there is none."""
        with np.errstate(all="ignore"):
            (tau,), (U,) = self._eigen(np.array([lr]))
        if tau[-1] >= 1:
            return float("inf")
        x = lr**2 * self.p * (U.T @ self.noise) / (1 - tau)
        return 0.5 * float(x @ (U.T @ self.curvature))

    def _step_through(
        self,
        lrs: Float[Array, " K"],
        m: Float[Array, " r"],
        x: Float[Array, " P"],
        steps: int,
        epochs: int,
    ) -> Float[Array, "K times"]:
        """All rates at once, step by step."""
        a = 1 - lrs[:, None] * self.eigenvalues
        both = a[:, self.pairs.first] * a[:, self.pairs.second]
        scatter = lrs[:, None] ** 2 * self.p
        M, X = np.tile(m, (lrs.size, 1)), np.tile(x, (lrs.size, 1))
        losses, towed = [0.5 * X @ self.curvature - M @ self.slope], self.tow.any()
        for _ in range(epochs):
            for _ in range(steps):
                come = X @ self.covariance + self.noise
                if towed:
                    come -= 2 * M @ self.tow.T
                X = both * X + scatter * come
                M = a * M
            losses.append(0.5 * X @ self.curvature - M @ self.slope)
        return np.stack(losses, axis=1)

    def _jump(
        self,
        lr: float,
        tau: Float[Array, " P"],
        U: Float[Array, "P P"],
        m: Float[Array, " r"],
        x: Float[Array, " P"],
        t: Float[Array, " times"],
    ) -> Float[Array, " times"]:
        """One rate after t steps, for any t at the same cost: along eigenvectors steps are powers."""
        a, t = 1 - lr * self.eigenvalues, t[:, None]
        now = (U.T @ x) * tau**t
        if self.noise.any():
            noise = (U.T @ self.noise)[:, None]
            now += lr**2 * self.p * _powers_apart(noise, tau, np.ones(1), t)
        if self.tow.any():
            towed = U.T @ (self.tow * m)
            now -= 2 * lr**2 * self.p * _powers_apart(towed, tau, a, t)
        losses: Array = 0.5 * now @ (U.T @ self.curvature) - (m * a**t) @ self.slope
        return losses

    def _eigen(self, lrs: Float[Array, " K"]) -> tuple[Float[Array, "K P"], Float[Array, "K P P"]]:
        """Eigenvalues τ (ascending) and eigenvectors of T at each rate."""
        a = 1 - lrs[:, None] * self.eigenvalues
        T = (lrs**2 * self.p)[:, None, None] * self.covariance
        diagonal = np.einsum("kii->ki", T)
        diagonal += a[:, self.pairs.first] * a[:, self.pairs.second]
        bounded = np.isfinite(T).all(axis=(1, 2))
        T[~bounded] = 0.0
        tau, U = np.linalg.eigh(T)
        tau[~bounded] = np.inf
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
