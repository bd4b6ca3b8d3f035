"""What the noise of the labels adds to the loss at the end of each shuffled epoch.

Each step adds a variance pV, most of which cancels within the epoch of ``m = ⌈n/B⌉`` steps. Each step also adds M, which
comes from the variation of the features between minibatches multiplied by the error within the epoch; it is assumed not
to cancel. The second moment at the end of an epoch, accumulated over many epochs, is::

    S_a = η² (K_a pV_a + K°_a M_a) / (1 − a_a^{2m}),   K_a = m/(m−1) [Σ_{k<m} a_a^{2k} − (1/m) (Σ_{k<m} a_a^k)²]
    M_a = p Σ_b κ_ab S̄_b,   S̄_a = η² (ρ_a pV_a + ρ°_a M_a) + ā_a S_a,   K°_a = Σ_{k<m} a_a^{2k}

where S̄ is the mean variance within the epoch, ``ρ_a`` and ``ρ°_a`` are the means of K and K° over the first t < m steps,
and ``ā_a`` is the mean of ``a_a^{2k}``. ``V_a = mean ε² z_a² − ḡ_a²`` uses the residuals at the optimum. But until a row is
visited, the error moves towards the optimum of all other rows, where the residual of this row is ``ε/(1 − h)``, with h its
leverage. V is therefore interpolated between the two, with the weight ``(1 − a_a^m)²`` for the second. What this adds is
returned as the doubt: for a leverage near 1, as with hardly more rows than features, it is far too large.

If residuals depend on the features, the mean is shifted too, by ``β`` in each epoch::

    β_a = η²/(n − 1) Σ_b M_ab Σ_{s<t<m} a_a^{m−1−t} a_b^{t−1−s},   M_ab = mean ε z_a z_b² − G_ab ḡ_b

With ``M = 0`` and ``h = 0`` the floor is the leading order of Ying et al., arXiv 1803.07964; the other terms are
learnrate's own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from learnrate._shapes import Array, Bool, Float
from learnrate.theory.directions import Directions
from learnrate.theory.epoch_sums import epoch_sums, pair_sums, uneven_sums
from learnrate.theory.modes import Modes, batch_variance

__all__ = ["NoiseLevel", "label_noise"]

_UNEVEN = 500  # minibatches per epoch up to which a short last one is treated separately
_SHIFTED = 320  # directions up to which the shift β is computed
_SHIFTED_COARSE = 64  # the same if two digits are enough


@dataclass(frozen=True, eq=False)
class NoiseLevel:
    """What label noise adds in each epoch to the second moment S and to the mean b, for each rate and direction.

    Per epoch ``S' = kept · S + rise`` and ``b' = mean_kept · b + shift``; ``doubt`` is the possible error of the rise,
    and ``settles`` says for which rates S stays bounded. ``mean_lost`` is ``1 − mean_kept``, accurate also where it is
    tiny.
    """

    kept: Float[Array, "K r"]
    rise: Float[Array, "K r"]
    mean_kept: Float[Array, "K r"]
    shift: Float[Array, "K r"]
    settles: Bool[Array, " K"]
    mean_lost: Float[Array, "K r"]
    doubt: Float[Array, "K r"]

    @property
    def lost(self) -> Float[Array, "K r"]:
        """``1 − kept``, accurate also where it is tiny."""
        lost: Array = self.mean_lost * (1 + self.mean_kept)
        return lost


def label_noise(
    modes: Modes,
    batch_size: int,
    lrs: Float[Array, " K"],
    along: Directions,
    *,
    shifted: bool = True,
) -> NoiseLevel:
    """Solve the equations above for M, and compute from it what each epoch adds, for every rate.

    Where there is no positive solution the mean loss does not settle; M is then left out.

    Parameters
    ----------
    modes : Modes
        The examples, with weight decay if there is any.
    batch_size : int
        B.
    lrs : array, shape (K,)
        Learning rates.
    along : Directions
        Fourth moments along the eigenvectors.
    shifted : bool
        Whether to compute the shift β also for 64 to 320 directions.
    """
    eta, r = lrs[:, None], modes.rank
    m = -(-modes.population // batch_size)
    p = batch_variance(modes.population, batch_size)
    V = along.noise
    x = eta * modes.eigenvalues
    full, short = divmod(modes.population, batch_size)
    if short and m <= _UNEVEN:
        part = short / batch_size
        sums = uneven_sums(x, full, part)
    else:
        full, part = m, 0.0
        sums = epoch_sums(x, m)
    mean_kept = (1 - x) ** full * (1 - part * x)
    kept = mean_kept**2
    mean_lost = np.where(
        x < 0.5, -np.expm1(full * np.log1p(-x) + np.log1p(-part * x)), 1 - mean_kept
    )
    lost = mean_lost * (1 + mean_kept)
    met = eta**2 * (sums.rho + sums.average * sums.K / lost)
    drawn = eta**2 * (
        sums.rho_drawn + sums.average * sums.K_drawn / lost
    )  # S̄ = met · pV + drawn · M
    settles = np.asarray((lost > 0).all(axis=1) & np.isfinite(met + drawn).all(axis=1))
    met, drawn = (np.where(settles[:, None], part, 0.0) for part in (met, drawn))
    first = np.tile(p * V, (lrs.size, 1))
    more = p * (along.noise_left_out - V) * np.clip(mean_lost, 0, 1) ** 2
    # A third right-hand side, of ones: its solution is positive exactly where the mean loss settles.
    sides = np.stack(
        [*(_times_spread(along, p * met * noise) for noise in (first, more)), np.ones_like(x)],
        axis=2,
    )
    if along.coupling is None:
        system = np.eye(r) - p * along.spread * drawn[:, None, :]
        solved = np.linalg.solve(system, sides)
    else:
        pairs = zip(drawn, sides, strict=True)
        solved = np.stack([along.coupling.solve(p * row, side) for row, side in pairs])
    M, M_more, probe = np.moveaxis(solved, 2, 0)
    settles &= (probe > 0).all(axis=1)
    M, M_more = (np.where(settles[:, None], part, 0.0) for part in (M, M_more))
    doubt = eta**2 * (sums.K * more + sums.K_drawn * M_more)
    rise = eta**2 * (sums.K * first + sums.K_drawn * M) + doubt
    doubt = np.where(settles[:, None], np.abs(doubt), np.inf if p else 0.0)
    shift = np.zeros_like(x)
    if r <= (_SHIFTED if shifted else _SHIFTED_COARSE):
        # One rate at a time, so that the r × r sums stay in the processor's cache.
        shift = np.stack([(along.third * pair_sums(row, m)).sum(axis=1) for row in x])
        shift *= eta**2 / max(modes.population - 1, 1)
    return NoiseLevel(kept, rise, mean_kept, shift, settles, mean_lost, doubt)


def _times_spread(along: Directions, rows: Float[Array, "K r"]) -> Float[Array, "K r"]:
    """``κ`` times each row."""
    return rows @ along.spread if along.coupling is None else along.coupling.times(rows)
