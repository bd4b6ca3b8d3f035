"""The loss to be expected after each epoch of shuffled minibatches, and its floor.

Within an epoch every example is visited once, so a minibatch that pulled one way leaves the others pulling
the other way: what two of them do is correlated by ``−1/(n − 1)`` per example. That is why shuffled epochs
have a far lower floor, O(η²) against O(η). No closed form is known; this is an estimate, from two parts
that add up, because the recursion is linear in what starts it. Only the diagonal of the second moment is
followed, ``s_a = E δ_a²`` along the eigenvector of λ_a, with ``κ_ab = mean z_a² z_b² − G_ab²`` and
``a_a = 1 − ηλ_a``.

**The start wears off.** ``F_ab`` is the covariance of one future minibatch's Hessian entry (a, b) with the
error's product ``δ_a δ_b`` now; it is 0 where an epoch begins, and each visited minibatch adds to it::

    s_a' = a_a² s_a + η² p Σ_b κ_ab s_b − 2η a_a Σ_b F_ab
    F_ab' = a_a a_b F_ab + η/(n − 1) κ_ab (u_a + u_b),   u_a = a_a s_a − (η/B) (λ_a s_a + ½ Σ_c λ_c s_c)

The second part of u is of third order in the features and taken as if they were Gaussian.

**The labels' noise comes in**, N per step, and most of it cancels within the epoch of ``m = ⌈n/B⌉`` steps.
What is left at its end, and builds up from epoch to epoch, is::

    S_a = η² K_a N_a / (1 − a_a^{2m}),   K_a = m/(m−1) [Σ_{k<m} a_a^{2k} − (1/m) (Σ_{k<m} a_a^k)²]
    N_a = p (V_a + Σ_b κ_ab S̄_b),        V_a = mean ε² z_a² − ḡ_a²

where S̄ is the variance met within the epoch, itself linear in N: ``S̄_a = η² ρ_a N_a + ā_a S_a``, with
``ρ_a`` and ``ā_a`` the averages over the epoch of the noise that has come in and of ``a_a^{2k}``. Where
residuals and features are not independent, the mean is shifted too, by ``β`` an epoch::

    β_a = η²/(n − 1) Σ_b M_ab Σ_{s<t<m} a_a^{m−1−t} a_b^{t−1−s},   M_ab = mean ε z_a z_b² − G_ab ḡ_b

With ``S̄ = 0`` the floor is the leading order of Ying et al., arXiv 1803.07964; the rest is learnrate's own.
How far the numbers can be trusted was measured: docs/theory.md has the table.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from learnrate._shapes import Array, Bool, Float
from learnrate.theory.directions import Directions
from learnrate.theory.modes import Modes, batch_variance
from learnrate.theory.prediction import Prediction, finite_or_infinite
from learnrate.theory.quantity import Kind
from learnrate.theory.second_moments import SecondMoments

__all__ = ["shuffled_curve", "shuffled_floor"]

_NOTE = "second moments per direction, with the correlations within a shuffled epoch"
_CACHE = 100_000  # entries of F at a time, so that it stays in the processor's cache
_MOST_WORK = 2e9  # entries of F, over all steps and rates, that are worth following: seconds, …
_LITTLE_WORK = 1e8  # … or a tenth of one where there are many examples, and F matters little
_MANY = 1000  # examples per direction
_STEP_OVERHEAD = 20_000  # what a step costs beside, in entries


def shuffled_floor(modes: Modes, batch_size: int, lrs: Float[Array, " K"]) -> Prediction:
    """Expected loss at epoch ends after many shuffled epochs; infinite where it does not settle.

    An estimate, but for ``B = n``, where nothing is random.
    """
    with np.errstate(all="ignore"):
        level = _label_noise(modes, batch_size, lrs, modes.directions)
        shift = level.shift / (1 - level.mean_kept)
        excess = _excess(modes, level.rise / (1 - level.kept), shift, 0 * shift)
    losses = np.where(level.settles, modes.loss_at_optimum + excess, np.inf)
    return Prediction(lrs, finite_or_infinite(losses), Kind.ESTIMATE, _NOTE)


def shuffled_curve(
    modes: Modes,
    batch_size: int,
    lrs: Float[Array, " K"],
    epochs: int,
    *,
    weights: Float[Array, " d"] | None = None,
    coarse: bool = False,
) -> Prediction:
    """Expected loss before training and after each shuffled epoch: an estimate.

    A short last minibatch counts as in training: its gradient is divided by the nominal B. Where
    following F would take long it is left out: a tenth of a second with a thousand examples or more per
    direction, for its effect falls with 1/n, and some seconds otherwise.

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
    weights : array, shape (d,), optional
        A known start ``w``. Without it the expectation is over ``w ~ N(0, 0.01²)`` too. ``b = 0``.
    coarse : bool
        Be content with a rougher estimate, for a hundredth of the time.

    Returns
    -------
    Prediction
        ``losses`` of shape (K, epochs + 1).
    """
    n, lam = modes.population, modes.eigenvalues
    start = modes.start(weights)
    along = modes.coarse_directions if coarse else modes.directions
    steps = sum(_epoch_batches(n, batch_size).values())
    with np.errstate(all="ignore"):
        passes = min(epochs, lam.size)  # see _wear_off
        work = passes * steps * (lrs.size * lam.size**2 + _STEP_OVERHEAD)
        if work <= (_MOST_WORK if n < _MANY * lam.size and not coarse else _LITTLE_WORK):
            losses, note = _wear_off(modes, batch_size, lrs, along.spread, *start, epochs), _NOTE
        else:
            moments = SecondMoments.of(
                modes,
                batch_variance(n, batch_size),
                rates=lrs.size,
                steps=epochs * steps,
                coarse=coarse,
                label_noise=False,
            )
            losses = moments.follow(lrs, *start, steps, epochs)
            note = _NOTE + ", but for what wears off"
        if along.rows < n:
            note += f", fourth moments from {along.rows} examples"
        level = _label_noise(modes, batch_size, lrs, along)
        mean = np.tile(start[0], (lrs.size, 1))
        noise = shift = np.zeros_like(mean)
        for epoch in range(1, epochs + 1):
            mean = level.mean_kept * mean
            noise = level.kept * noise + level.rise
            shift = level.mean_kept * shift + level.shift
            losses[:, epoch] += _excess(modes, noise, shift, mean)
    losses = finite_or_infinite(modes.loss_at_optimum + losses)
    return Prediction(lrs, losses, Kind.ESTIMATE, note)


def _excess(
    modes: Modes,
    noise: Float[Array, "K r"],
    shift: Float[Array, "K r"],
    mean: Float[Array, "K r"],
) -> Float[Array, " K"]:
    """Loss from the labels' noise: its variance, and its shift of the mean."""
    pull = (mean + 0.5 * shift) @ modes.data_hessian - modes.data_slope
    loss: Array = 0.5 * noise @ modes.data_hessian.diagonal() + (pull * shift).sum(axis=1)
    return loss


def _epoch_batches(n: int, batch_size: int) -> dict[int, int]:
    """Sizes of an epoch's minibatches and how many there are of each, in their order."""
    full, short = divmod(n, batch_size)
    return {batch_size: full} | ({short: 1} if short else {})


def _shrink(modes: Modes, lrs: Float[Array, " K"], share: float = 1.0) -> Float[Array, "K r"]:
    """``a = 1 − ηλ``; for a minibatch with only a ``share`` of B, data count by that share."""
    slope = modes.eigenvalues - (1 - share) * modes.data_hessian.diagonal()
    return 1 - lrs[:, None] * slope


def _wear_off(
    modes: Modes,
    batch_size: int,
    lrs: Float[Array, " K"],
    kappa: Float[Array, "r r"],
    m: Float[Array, " r"],
    second: Float[Array, "r r"],
    epochs: int,
) -> Float[Array, "K times"]:
    """``E L − L(θ*)`` at the start and after each epoch, without label noise.

    An epoch is linear in ``s``. For more than r of them it is worked out once for each unit vector.
    """
    block = max(1, _CACHE // modes.rank**2)
    if lrs.size > block:
        parts = [lrs[at : at + block] for at in range(0, lrs.size, block)]
        return np.concatenate(
            [_wear_off(modes, batch_size, part, kappa, m, second, epochs) for part in parts]
        )
    G = modes.data_hessian
    apart = G - np.diag(G.diagonal())
    s, mean = np.tile(second.diagonal(), (lrs.size, 1)), np.tile(m, (lrs.size, 1))
    wear = None
    if epochs > modes.rank:
        units = [np.tile(unit, (lrs.size, 1)) for unit in np.eye(modes.rank)]
        wear = np.stack([_epoch(modes, batch_size, lrs, kappa, unit) for unit in units], axis=1)
    losses = []
    for epoch in range(epochs + 1):
        if epoch:
            worn = _epoch(modes, batch_size, lrs, kappa, s) if wear is None else _times(s, wear)
            s = np.maximum(worn, 0.0)
            for size, times in _epoch_batches(modes.population, batch_size).items():
                mean = mean * _shrink(modes, lrs, size / batch_size) ** times
        tilt = mean @ modes.data_slope - 0.5 * ((mean @ apart) * mean).sum(axis=1)
        losses.append(0.5 * s @ G.diagonal() - tilt)
    return np.stack(losses, axis=1)


def _epoch(
    modes: Modes,
    batch_size: int,
    lrs: Float[Array, " K"],
    kappa: Float[Array, "r r"],
    s: Float[Array, "K r"],
) -> Float[Array, "K r"]:
    """One epoch of ``s``, as in the equations above."""
    n, lam, eta = modes.population, modes.eigenvalues, lrs[:, None]
    F = np.zeros((lrs.size, modes.rank, modes.rank))
    more, ones = np.empty_like(F), np.ones(modes.rank)
    for size, times in _epoch_batches(n, batch_size).items():
        share = size / batch_size
        a = _shrink(modes, lrs, share)
        scatter = (eta * share) ** 2 * batch_variance(n, size)
        both = a[:, :, None] * a[:, None, :]
        gain = share * eta[:, :, None] / max(n - 1, 1) * kappa
        for _ in range(times):
            after = a * a * s + scatter * (s @ kappa) - 2 * share * eta * a * (F @ ones)
            bent = lam * s
            u = a * s - eta / batch_size * (bent + 0.5 * bent.sum(axis=1, keepdims=True))
            np.add(u[:, :, None], u[:, None, :], out=more)
            more *= gain
            F *= both
            F += more
            s = after
    return s


def _times(s: Float[Array, "K r"], matrices: Float[Array, "K r r"]) -> Float[Array, "K r"]:
    """Each row times its matrix."""
    return (s[:, None, :] @ matrices)[:, 0]


@dataclass(frozen=True, eq=False)
class _NoiseLevel:
    """What label noise adds at epoch ends, to the second moment and to the mean.

    Per epoch ``S' = kept · S + rise`` and ``b' = mean_kept · b + shift``.
    """

    kept: Float[Array, "K r"]
    rise: Float[Array, "K r"]
    mean_kept: Float[Array, "K r"]
    shift: Float[Array, "K r"]
    settles: Bool[Array, " K"]


def _label_noise(
    modes: Modes, batch_size: int, lrs: Float[Array, " K"], along: Directions
) -> _NoiseLevel:
    """Solve for N, and from it what comes in per epoch, for every rate.

    Where it has no positive solution the average does not settle; N is then taken as ``pV``.
    """
    eta, r = lrs[:, None], modes.rank
    m = -(-modes.population // batch_size)
    p = batch_variance(modes.population, batch_size)
    V, kappa = along.noise, along.spread
    x = eta * modes.eigenvalues
    K, rho, average = _epoch_sums(x, m)
    mean_kept = (1 - x) ** m
    kept = mean_kept**2
    met = eta**2 * (rho + average * K / (1 - kept))  # S̄ = met · N
    system = np.eye(r) - p * kappa * met[:, None, :]
    settles = (kept < 1).all(axis=1) & np.isfinite(system).all(axis=(1, 2))
    system[~settles] = np.eye(r)
    # A second right-hand side of ones: its solution is positive exactly where the average settles.
    sides = np.stack([p * V, np.ones(r)], axis=1)
    N, probe = np.moveaxis(np.linalg.solve(system, np.tile(sides, (lrs.size, 1, 1))), 2, 0)
    settles &= (probe > 0).all(axis=1)
    N = np.where(settles[:, None], N, p * V)
    # One rate at a time: for wide examples that stays in the processor's cache.
    shift = np.stack([(along.tow * _pair_sums(row, m)).sum(axis=1) for row in x])
    shift *= eta**2 / max(modes.population - 1, 1)
    return _NoiseLevel(kept, eta**2 * K * N, mean_kept, shift, settles)


def _epoch_sums(
    x: Float[Array, "K r"], m: int
) -> tuple[Float[Array, "K r"], Float[Array, "K r"], Float[Array, "K r"]]:
    """``K``, ``ρ`` and ``ā`` of the equations above, with ``x = ηλ = 1 − a``, in closed form.

    With ``A_j = Σ_{k<m} a^{jk}``: ``K = m/(m−1) (A_2 − A_1²/m)``, ``ā = A_2/m`` and ρ, the average over t
    of ``m/(m−1) [Σ_{k<t} a^{2k} − (1/m)(Σ_{k<t} a^k)²]``. For ``mx ≪ 1``, where the differences would lose
    their digits, the leading terms in x stand in.
    """
    if m == 1:
        return np.zeros_like(x), np.zeros_like(x), np.ones_like(x)
    with np.errstate(all="ignore"):
        log = np.where(x < 0.5, np.log1p(-x), np.log(np.abs(1 - x)))
        A1 = np.where(x < 1, -np.expm1(m * log), 1 - (1 - x) ** m) / x
        A2 = -np.expm1(2 * m * log) / (x * (2 - x))
        K = m / (m - 1) * (A2 - A1**2 / m)
        twice = (m - A2) / (x * (2 - x)) - (m - 2 * A1 + A2) / (m * x**2)
    small = m * x < 1e-3
    K = np.where(small, m**2 * (m + 1) / 12 * x**2, K)
    return K, np.where(small, (m + 1) / 6, twice / (m - 1)), A2 / m


def _pair_sums(x: Float[Array, " r"], m: int) -> Float[Array, "r r"]:
    """``Σ_{s<t<m} a_a^{m−1−t} a_b^{t−1−s}`` for all pairs (a, b), in closed form; ``a = 1 − x``."""
    if m == 1:
        return np.zeros((x.size, x.size))
    a = 1 - x
    power = a**m
    once = np.where(m * x < 1e-6, m, (1 - power) / x)
    apart = a[:, None] - a
    same = np.abs(apart) < 1e-9
    mixed = np.where(same, (m * a ** (m - 1))[:, None], power[:, None] - power)
    mixed /= np.where(same, 1.0, apart)
    slow = m * np.maximum(x[:, None], x) < 1e-5
    return np.where(slow, 0.5 * m * (m - 1), (once[:, None] - mixed) / x)
