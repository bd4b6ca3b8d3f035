"""The expected loss after each epoch of shuffled minibatches, and its floor.

Within an epoch every example is visited once, so the deviations of two minibatches from the mean gradient are
negatively correlated, by ``−1/(n − 1)`` per example, and partly cancel. That is why shuffled epochs have a far lower
floor, O(η²) instead of O(η). No closed form is known; this is an estimate. The recursion is linear, so the effect of the
start and that of the labels' noise are computed separately and added. Only the diagonal of the second moment is
computed, ``s_a = E δ_a²`` along the eigenvector of λ_a, with ``κ_ab = mean z_a² z_b² − G_ab²`` and ``a_a = 1 − ηλ_a``.

**The effect of the start.** ``F_ab`` is the covariance between entry (a, b) of a future minibatch's Hessian and the
current product ``δ_a δ_b``; it is 0 at the beginning of an epoch, and each visited minibatch adds to it::

    s_a' = a_a² s_a + η² p Σ_b κ_ab s_b − 2η a_a Σ_b F_ab
    F_ab' = a_a a_b F_ab + η/(n − 1) κ_ab (u_a + u_b),   u_a = a_a s_a − (η/B) (λ_a s_a + ½ Σ_c λ_c s_c)

The second term of u contains third moments of the features, here those of a Gaussian. F holds to first order in the
variance between minibatches: its error was measured to be up to 0.7 of the change that F makes, and that is returned as the
doubt. If the error along a single row of high leverage is larger than the whole result, the difference is added to it.

**The noise of the labels** mostly cancels within an epoch: see `learnrate.theory.epoch_noise`.

docs/theory.md has a table of measured errors.
"""

from __future__ import annotations

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.theory.epoch_noise import label_noise
from learnrate.theory.modes import Modes, batch_variance
from learnrate.theory.quantity import Kind, Prediction, finite_or_infinite
from learnrate.theory.second_moments import SecondMoments

__all__ = ["shuffled_curve", "shuffled_floor"]

_NOTE = "second moments per direction, with the correlations within a shuffled epoch"
_CACHE = 100_000  # entries of F at a time, so that it stays in the processor's cache
# Entries of F over all steps and rates, a tenth of a second, up to which F is computed, …
_WORK = 5e7
_COARSE_WORK = 1e7  # … or this many for a coarse estimate; F changes a curve by some 5 %
_F_ERROR = 0.7  # measured error of F, as a share of the change that F makes
_ROUNDING = 1e-10  # times the mean square of the labels: losses below that are rounding
_STEP_OVERHEAD = 20_000  # entries of F that take as long as the rest of a step


def shuffled_floor(modes: Modes, batch_size: int, lrs: Float[Array, " K"]) -> Prediction:
    """Expected loss at epoch ends after many shuffled epochs, for each rate; infinite where it does not settle.

    An estimate, except for ``B = n``, where nothing is random. Its doubt is the part that comes from leverages.
    """
    with np.errstate(all="ignore"):
        level = label_noise(modes, batch_size, lrs, modes.directions)
        shift = level.shift / level.mean_lost
        excess = _excess(modes, level.rise / level.lost, shift, 0 * shift)
        losses = np.where(level.settles, modes.loss_at_optimum + excess, np.inf)
        doubt = 0.5 * (level.doubt / level.lost) @ modes.data_hessian.diagonal()
        part = _part_of(losses, doubt, modes)
    return Prediction(lrs, finite_or_infinite(losses), Kind.ESTIMATE, _NOTE, part)


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

    The gradient of a short last minibatch is divided by the nominal B, as in training. F is left out where it would
    take longer than a tenth of a second; that changes a curve by some 5 %.

    Parameters
    ----------
    modes : Modes
        The examples, with weight decay if there is any.
    batch_size : int
        B.
    lrs : array, shape (K,)
        Learning rates.
    epochs : int
        How many epochs to predict.
    weights : array, shape (d,), optional
        A known start ``w``. Without it the expectation is over ``w ~ N(0, 0.01²)`` too. ``b = 0``.
    coarse : bool
        Accept a rougher estimate, which takes a hundredth of the time.

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
        passes = min(epochs, lam.size)  # see _without_label_noise
        work = passes * steps * (lrs.size * lam.size**2 + _STEP_OVERHEAD)
        if work <= (_COARSE_WORK if coarse else _WORK):
            losses, note = (
                _without_label_noise(modes, batch_size, lrs, along.spread, *start, epochs),
                _NOTE,
            )
            doubts = np.zeros_like(losses)
            if not coarse:
                drawn = _without_label_noise(
                    modes, batch_size, lrs, along.spread, *start, epochs, correlated=False
                )
                doubts = _F_ERROR * np.abs(drawn - losses)
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
            doubts = np.abs(losses - _without_scatter(modes, batch_size, lrs, *start, epochs))
            note = _NOTE + ", but for what wears off"
        if along.rows < n:
            note += f", fourth moments from {along.rows} examples"
        alone = _rows_alone(modes, batch_size, lrs, along.strong, start[1], epochs)
        doubts += np.maximum(alone - losses, 0.0)
        level = label_noise(modes, batch_size, lrs, along, shifted=not coarse)
        mean = np.tile(start[0], (lrs.size, 1))
        noise = shift = doubt = np.zeros_like(mean)
        curvature = modes.data_hessian.diagonal()
        for epoch in range(1, epochs + 1):
            mean = level.mean_kept * mean
            noise = level.kept * noise + level.rise
            doubt = level.kept * doubt + level.doubt
            shift = level.mean_kept * shift + level.shift
            doubts[:, epoch] += 0.5 * doubt @ curvature
            losses[:, epoch] += _excess(modes, noise, shift, mean)
        losses = finite_or_infinite(modes.loss_at_optimum + losses)
        doubts = _part_of(losses, doubts, modes)
    return Prediction(lrs, losses, Kind.ESTIMATE, note, doubts)


def _part_of(
    losses: Float[Array, "*shape"], doubt: Float[Array, "*shape"], modes: Modes
) -> Float[Array, "*shape"]:
    """The doubt divided by the loss, to which a tiny number is added, so that losses of 0 have a relative error too."""
    least = _ROUNDING * float(np.mean(modes.y**2))
    return np.where(doubt == 0, 0.0, doubt / (losses + least))


def _excess(
    modes: Modes,
    noise: Float[Array, "K r"],
    shift: Float[Array, "K r"],
    mean: Float[Array, "K r"],
) -> Float[Array, " K"]:
    """The part of the loss that comes from label noise: by its variance, and by its shift of the mean."""
    pull = (mean + 0.5 * shift) @ modes.data_hessian - modes.data_slope
    loss: Array = 0.5 * noise @ modes.data_hessian.diagonal() + (pull * shift).sum(axis=1)
    return loss


def _epoch_batches(n: int, batch_size: int) -> dict[int, int]:
    """The sizes of an epoch's minibatches, in their order, with the number of minibatches of each size."""
    full, short = divmod(n, batch_size)
    return {batch_size: full} | ({short: 1} if short else {})


def _shrink(modes: Modes, lrs: Float[Array, " K"], share: float = 1.0) -> Float[Array, "K r"]:
    """``a = 1 − ηλ``; for a minibatch of ``share · B`` examples the data's part of λ is multiplied by the share."""
    curvature = modes.eigenvalues - (1 - share) * modes.data_hessian.diagonal()
    return 1 - lrs[:, None] * curvature


def _without_label_noise(
    modes: Modes,
    batch_size: int,
    lrs: Float[Array, " K"],
    kappa: Float[Array, "r r"],
    m: Float[Array, " r"],
    second: Float[Array, "r r"],
    epochs: int,
    *,
    correlated: bool = True,
) -> Float[Array, "K times"]:
    """``E L − L(θ*)`` at the start and after each epoch, without label noise; without F if not ``correlated``.

    An epoch is linear in ``s``, so for more than r epochs its matrix is computed once, column by column.
    """
    block = max(1, _CACHE // modes.rank**2)
    if lrs.size > block:
        parts = [lrs[at : at + block] for at in range(0, lrs.size, block)]
        return np.concatenate(
            [
                _without_label_noise(
                    modes, batch_size, part, kappa, m, second, epochs, correlated=correlated
                )
                for part in parts
            ]
        )
    s, mean = np.tile(second.diagonal(), (lrs.size, 1)), np.tile(m, (lrs.size, 1))
    matrices = None
    if epochs > modes.rank:
        units = [np.tile(unit, (lrs.size, 1)) for unit in np.eye(modes.rank)]
        matrices = np.stack(
            [_epoch(modes, batch_size, lrs, kappa, unit, correlated) for unit in units], axis=1
        )
    losses = []
    for epoch in range(epochs + 1):
        if epoch:
            if matrices is None:
                after = _epoch(modes, batch_size, lrs, kappa, s, correlated)
            else:
                after = (s[:, None, :] @ matrices)[:, 0]
            s = np.maximum(after, 0.0)
            for size, times in _epoch_batches(modes.population, batch_size).items():
                mean = mean * _shrink(modes, lrs, size / batch_size) ** times
        losses.append(_loss(modes, s, mean))
    return np.stack(losses, axis=1)


def _without_scatter(
    modes: Modes,
    batch_size: int,
    lrs: Float[Array, " K"],
    m: Float[Array, " r"],
    second: Float[Array, "r r"],
    epochs: int,
) -> Float[Array, "K times"]:
    """``E L − L(θ*)`` if all minibatches had the same Hessian, so that nothing cancels within an epoch."""
    s, mean = np.tile(second.diagonal(), (lrs.size, 1)), np.tile(m, (lrs.size, 1))
    kept = np.ones_like(mean)
    for size, times in _epoch_batches(modes.population, batch_size).items():
        kept = kept * _shrink(modes, lrs, size / batch_size) ** times
    return np.stack(
        [_loss(modes, kept ** (2 * epoch) * s, kept**epoch * mean) for epoch in range(epochs + 1)],
        axis=1,
    )


def _rows_alone(
    modes: Modes,
    batch_size: int,
    lrs: Float[Array, " K"],
    rows: Float[Array, "rows r"],
    second: Float[Array, "r r"],
    epochs: int,
) -> Float[Array, "K times"]:
    """The largest loss that is left along the direction z of one row, after each epoch, if other directions are ignored.

    The visit of the row itself multiplies the error ``zᵀδ`` by ``1 − u`` with ``u = η‖z‖²/B``, and the other steps of an
    epoch multiply it by about ``exp(−u (1/h − 1))``, where h is the row's share of the curvature along z. Such a direction
    need not be an eigenvector. An error ``zᵀδ`` adds at least ``½ (zᵀδ)² / (zᵀΛ⁻¹z)`` to the loss.
    """
    n, square = modes.population, np.einsum("ij,ij->i", rows, rows)
    curvature = rows**2 @ modes.eigenvalues / square
    start = 0.5 * np.einsum("ia,ab,ib->i", rows, second, rows) / (rows**2 @ (1 / modes.eigenvalues))
    u, others = lrs[:, None] * square / batch_size, np.maximum(n * curvature / square - 1, 0.0)
    kept = ((1 - u) * np.exp(-u * others)) ** 2
    losses = [np.zeros(lrs.size)]
    losses += [(start * kept**epoch).max(axis=1) for epoch in range(1, epochs + 1)]
    return np.stack(losses, axis=1)


def _loss(modes: Modes, s: Float[Array, "K r"], mean: Float[Array, "K r"]) -> Float[Array, " K"]:
    """``E L − L(θ*)`` of errors with this mean and these second moments along the directions."""
    G = modes.data_hessian
    off_diagonal = G - np.diag(G.diagonal())
    linear = mean @ modes.data_slope - 0.5 * ((mean @ off_diagonal) * mean).sum(axis=1)
    loss: Array = 0.5 * s @ G.diagonal() - linear
    return loss


def _epoch(
    modes: Modes,
    batch_size: int,
    lrs: Float[Array, " K"],
    kappa: Float[Array, "r r"],
    s: Float[Array, "K r"],
    correlated: bool,
) -> Float[Array, "K r"]:
    """``s`` after one epoch, by the equations above; F is left out if not ``correlated``."""
    n, lam, eta = modes.population, modes.eigenvalues, lrs[:, None]
    F = np.zeros((lrs.size, modes.rank, modes.rank))
    more, ones = np.empty_like(F), np.ones(modes.rank)
    for size, times in _epoch_batches(n, batch_size).items():
        share = size / batch_size
        a = _shrink(modes, lrs, share)
        scatter = (eta * share) ** 2 * batch_variance(n, size)
        both = a[:, :, None] * a[:, None, :]
        gain = share * eta[:, :, None] / max(n - 1, 1) * kappa
        for _ in range(times if not correlated else 0):
            s = a * a * s + scatter * (s @ kappa)
        for _ in range(times if correlated else 0):
            after = a * a * s + scatter * (s @ kappa) - 2 * share * eta * a * (F @ ones)
            weighted = lam * s
            u = a * s - eta / batch_size * (weighted + 0.5 * weighted.sum(axis=1, keepdims=True))
            np.add(u[:, :, None], u[:, None, :], out=more)
            more *= gain
            F *= both
            F += more
            s = after
    return s
