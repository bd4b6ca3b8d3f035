"""The recursion of the second moment for independently drawn minibatches, as a matrix.

In the coordinates of `learnrate.theory.modes` let ``m = E δ`` and ``Σ = E δδᵀ``. Then, for any data::

    m' = (I − ηΛ) m
    Σ' = (I − ηΛ) Σ (I − ηΛ) + η² p [C(Σ) − 2 B(m) + V]
    E L = L(θ*) − ḡᵀm + ½ tr(GΣ)

    C(Σ) = (1/n) Σ_i (z_iᵀ Σ z_i) z_i z_iᵀ − G Σ G
    B(m) = (1/n) Σ_i ε_i (z_iᵀ m) z_i z_iᵀ − ½ (G m ḡᵀ + ḡ mᵀ G)
    V    = (1/n) Σ_i ε_i² z_i z_iᵀ − ḡ ḡᵀ

(without weight decay ``G = Λ = diag(λ)`` and ``ḡ = 0``). With Σ as a vector x over pairs of directions::

    x' = T x + η² p (v − 2 B m),   T = diag(a_a a_b) + η² p C,   a = 1 − ηλ

Source: the moments of the linear recursion, as for LMS in Haykin, *Adaptive Filter Theory* (the chapter on
the LMS algorithm), without its independence and Gaussian assumptions; p from `learnrate.theory.modes.batch_variance`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.theory.directions import Coupling
from learnrate.theory.fourth_moment import Pairs, pair_moments
from learnrate.theory.modes import Modes
from learnrate.theory.quantity import Kind

__all__ = ["SecondMoments"]

# Multiplications, about a tenth of a second, beyond which an estimate is made instead
_WORK = 1.2e9
_COARSE = 0.1  # share of that work for a coarse estimate
_PLACING = 60  # multiplications that take as long as to place one number in the matrix of pairs
_MOMENTS = 6  # fourth moments need a sixth of the products that the matrix of pairs would take
_EQUAL = 1e-7  # eigenvalues that differ by less count as equal
# An eigendecomposition takes as long as this number of steps, times the number of pairs
_EIGEN_COST = 5
_MAX_THIRD = 320  # directions up to which B is used
_SOLVED = 3  # to solve for the fixed point takes a third as long as that
_COUPLING_SPEED = 10  # by which a step is faster with a `Coupling`
_TOGETHER = 20_000  # entries of the matrices that are decomposed together


@dataclass(frozen=True, eq=False)
class SecondMoments:
    """The recursion on all pairs of directions, or on the diagonal; see the equations above.

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
    third : array, shape (P, r)
        B, from third moments: how the noise of the gradient depends on the mean error.
    noise, curvature : arrays, shape (P,)
        V and G, as vectors.
    kind, note
        How accurate the results are, and how they are computed, as in `learnrate.theory.quantity.Quantity`.
    coupling : Coupling, optional
        An approximation of C that is faster to multiply by, if C is large and the result an estimate anyway.
    """

    pairs: Pairs
    p: float
    eigenvalues: Float[Array, " r"]
    slope: Float[Array, " r"]
    covariance: Float[Array, "P P"]
    third: Float[Array, "P r"]
    noise: Float[Array, " P"]
    curvature: Float[Array, " P"]
    kind: Kind
    note: str
    coupling: Coupling | None = None

    @classmethod
    def of(
        cls,
        modes: Modes,
        p: float,
        *,
        rates: int,
        steps: int | None = None,
        settled: bool = False,
        coarse: bool = False,
        label_noise: bool = True,
    ) -> SecondMoments:
        """Make the recursion for the whole of Σ where that is fast enough, else for its diagonal.

        Parameters
        ----------
        modes : Modes
            The examples, with weight decay if there is any.
        p : float
            Variance of a minibatch mean, see `learnrate.theory.modes.batch_variance`.
        rates : int
            Number of learning rates.
        steps : int, optional
            Number of steps, if it is known.
        settled : bool
            Whether only the fixed points are needed.
        coarse : bool
            Whether an estimate in a hundredth of the time is enough.
        label_noise : bool
            False sets the noise V and B to 0, so that only the effect of the start is left.
        """
        work = _WORK * (_COARSE if coarse else 1)
        r = modes.rank
        P = r * (r + 1) // 2
        longest = _EIGEN_COST * P
        passes = longest if steps is None else min(longest, steps)
        if settled:
            passes = P // _SOLVED
        whole = (rates * 2 * passes + _PLACING) * P**2 <= work
        kind, note = Kind.EXACT, "second-moment recursion"
        lam, g, G = modes.eigenvalues, modes.data_slope, modes.data_hessian
        if not whole:
            kind, note = Kind.ESTIMATE, f"{note} of its diagonal"
            single = modes.coarse_directions if coarse else modes.directions
            if single.rows < modes.n:
                note = f"{note}, fourth moments from {single.rows} examples"
            third, V = (
                (single.third.T, single.noise) if label_noise else (np.zeros((r, r)), np.zeros(r))
            )
            pairs = Pairs.diagonal(r)
            return cls(
                pairs, p, lam, g, single.spread, third, V, G.diagonal(), kind, note, single.coupling
            )
        pairs = Pairs.every(r)
        enough = int(_MOMENTS * work / P**2)
        if modes.n > enough:
            kind, note = Kind.ESTIMATE, f"{note}, fourth moments from {enough} examples"
        along = modes.sample(enough)
        moments = pair_moments(pairs, along, residuals=label_noise)
        C, third, V = moments.fourth - pairs.conjugation(G), moments.third, np.zeros(P)
        if label_noise:
            a, b = pairs.first, pairs.second
            third = third - 0.5 * pairs.weight[:, None] * (G[a] * g[b, None] + g[a, None] * G[b])
            noise = modes.noise_along(along) if coarse and modes.n > enough else modes.noise
            V = pairs.of(noise - np.outer(g, g))
        return cls(pairs, p, lam, g, C, third, V, pairs.of(G), kind, note)

    def follow(
        self,
        lrs: Float[Array, " K"],
        m: Float[Array, " r"],
        second: Float[Array, "r r"],
        steps: int,
        epochs: int,
    ) -> Float[Array, "K times"]:
        """``E L − L(θ*)`` at the start and after each epoch of so many steps, shape (K, epochs + 1).

        ``m`` and ``second`` are the mean and second moment of the error at the start. Computed step by step or with the
        eigenvectors of T, whichever is faster. Where the loss diverges, the result is infinity or NaN.
        """
        x = self.pairs.of(second)
        with np.errstate(all="ignore"):
            most = _EIGEN_COST * x.size
            if epochs * steps < most * (1 if self.coupling is None else _COUPLING_SPEED):
                return self._step_through(lrs, m, x, steps, epochs)
            t = steps * np.arange(1.0, epochs + 1)
            start = 0.5 * x @ self.curvature - m @ self.slope
            together = max(1, _TOGETHER // x.size**2)
            parts = (lrs[at : at + together] for at in range(0, lrs.size, together))
            return np.stack(
                [
                    np.append(start, self._jump(lr, tau, U, m, x, t))
                    for part in parts
                    for lr, tau, U in zip(part, *self._eigen(part), strict=True)
                ]
            )

    def radius(self, lr: float) -> float:
        """Spectral radius of T: the factor by which the second moment grows per step, in the long run."""
        return float(np.abs(self._eigen(np.array([lr]))[0]).max())

    def settled(self, lr: float) -> float:
        """``E L − L(θ*)`` at the fixed point ``x = T x + η² p v``; infinite where there is none."""
        if self.coupling is not None:
            return self._settled_by(self.coupling, lr)
        with np.errstate(all="ignore"):
            first, second = (
                lr * self.eigenvalues[of] for of in (self.pairs.first, self.pairs.second)
            )
            rest = -(lr**2) * self.p * self.covariance
            rest[np.diag_indices_from(rest)] += first + second - first * second  # 1 − a_a a_b
        if not np.isfinite(rest).all():
            return float("inf")
        try:  # positive definite exactly where all eigenvalues of T are below 1; the largest of them is positive
            np.linalg.cholesky(rest)
        except np.linalg.LinAlgError:
            return float("inf")
        x = lr**2 * self.p * np.linalg.solve(rest, self.noise)
        return max(0.5 * float(x @ self.curvature), 0.0)

    def _settled_by(self, coupling: Coupling, lr: float) -> float:
        """`settled` with ``N = v + κx`` and ``x = η² p N / (1 − a²)``."""
        with np.errstate(all="ignore"):
            step = lr * self.eigenvalues
            scale = lr**2 * self.p / (step * (2 - step))
            if not ((step < 2).all() and np.isfinite(scale).all()):
                return float("inf")
            sides = np.stack([self.noise, np.ones(step.size)], axis=1)
            N, probe = coupling.solve(scale, sides).T
        if not (probe > 0).all():  # positive exactly where the mean loss settles
            return float("inf")
        return max(0.5 * float((scale * N) @ self.curvature), 0.0)

    def _step_through(
        self,
        lrs: Float[Array, " K"],
        m: Float[Array, " r"],
        x: Float[Array, " P"],
        steps: int,
        epochs: int,
    ) -> Float[Array, "K times"]:
        """`follow` step by step, for all rates at once."""
        a = 1 - lrs[:, None] * self.eigenvalues
        both = a[:, self.pairs.first] * a[:, self.pairs.second]
        scatter = lrs[:, None] ** 2 * self.p
        M, X = np.tile(m, (lrs.size, 1)), np.tile(x, (lrs.size, 1))
        losses = [0.5 * X @ self.curvature - M @ self.slope]
        coupled = len(self.eigenvalues) <= _MAX_THIRD and self.third.any()
        for _ in range(epochs):
            for _ in range(steps):
                if self.coupling is None:
                    added = X @ self.covariance + self.noise
                else:
                    added = self.coupling.times(X) + self.noise
                if coupled:
                    added -= 2 * M @ self.third.T
                X = both * X + scatter * added
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
        """`follow` for one rate after t steps: along the eigenvectors U of T, t steps are the power ``τ^t``."""
        a, t = 1 - lr * self.eigenvalues, t[:, None]
        now = (U.T @ x) * tau**t
        if self.noise.any():
            noise = (U.T @ self.noise)[:, None]
            now += lr**2 * self.p * _powers_apart(noise, tau, np.ones(1), t)
        if self.third.any():
            coupled = U.T @ (self.third * m)
            now -= 2 * lr**2 * self.p * _powers_apart(coupled, tau, a, t)
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
    """``Σ_j c_ij Σ_{k<t} τ_i^{t−1−k} a_j^k``. The inner sum is ``(τ^t − a^t) / (τ − a)``, or ``t τ^{t−1}`` where τ = a."""
    apart = tau[:, None] - a
    equal = np.abs(apart) < _EQUAL
    weights = np.where(equal, 0.0, coefficients / np.where(equal, 1.0, apart))
    sums: Array = tau**t * weights.sum(axis=1) - a**t @ weights.T
    for i, j in np.argwhere(equal):
        sums[:, i] += coefficients[i, j] * (t * a[j] ** np.maximum(t - 1, 0))[:, 0]
    return sums
