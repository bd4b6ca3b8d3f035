"""Everything the theory says about one set of examples and batch size, computed when asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.errors import OptionError, did_you_mean
from learnrate.theory.expected_curve import independent_curve, independent_floor
from learnrate.theory.full_batch import best_full_batch_rate, full_batch_limit
from learnrate.theory.gaussian import gaussian_limit
from learnrate.theory.growth import Growth, measure_growth
from learnrate.theory.mean_square import mean_square_bound, mean_square_limit
from learnrate.theory.modes import Modes, batch_variance
from learnrate.theory.prediction import Prediction
from learnrate.theory.quantity import Kind, Quantity
from learnrate.theory.shuffled import shuffled_curve, shuffled_floor
from learnrate.theory.spectrum import Spectrum
from learnrate.theory.typical_run import Tail, diverged_share, typical_limit
from learnrate.theory.verdict import Judgement, Verdict, judge

__all__ = ["Theory", "analyse"]

_SAMPLINGS = ("shuffle", "independent")
_NO_MOMENTUM = "with momentum there is no closed form for averages over minibatch orders"
_WIDE = 100
"""Directions from which on the best rate is searched with fewer rates at once."""
_NEAR = 0.9
"""Where below the mean-square limit, as a part of it, the floor is taken as that of its pole."""
_SLOW = 30
"""Condition number from which on a share of diverged runs is far too low without the tail of the errors."""


def analyse(
    X: Array,
    y: Array,
    batch_size: int,
    *,
    sampling: str = "shuffle",
    momentum: float = 0.0,
    weight_decay: float = 0.0,
    seed: int = 0,
    population: int | None = None,
) -> Theory:
    """Say before training what learning rates will do.

    Parameters
    ----------
    X, y : arrays, shapes (n, d) and (n,)
        The examples as they are trained on; the column of ones for the bias is added here.
    batch_size : int
        Nominal minibatch size B.
    sampling : {"shuffle", "independent"}
        How minibatches are drawn; in both an example occurs once in a minibatch.
    momentum, weight_decay : float
        μ of the heavy ball, and α, which spares the bias.
    seed : int
        Of what is simulated or sampled here; nothing to do with the seed of a run.
    population : int, optional
        How many examples are trained on, where X and y are a sample of them. Every number then is an
        estimate.

    Raises
    ------
    DataError, OptionError
        If the arrays or the options cannot be used.
    """
    if sampling not in _SAMPLINGS:
        raise OptionError(
            f"sampling must be 'shuffle' or 'independent'. Got {sampling!r} instead."
            + did_you_mean(str(sampling), _SAMPLINGS)
        )
    if not 0 <= momentum < 1:
        raise OptionError(
            f"momentum must be at least 0 and below 1. Got {momentum} instead; 0 turns it off."
        )
    modes = Modes(X, y, weight_decay=weight_decay, population=population)
    batch_variance(modes.population, batch_size)  # checks the batch size
    return Theory(modes, batch_size, sampling == "shuffle", float(momentum), seed)


class Theory:
    """Limits, floors and curves for one set of examples: see `analyse`."""

    def __init__(
        self, modes: Modes, batch_size: int, shuffle: bool, momentum: float, seed: int
    ) -> None:
        self.modes = modes
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.momentum = momentum
        self._seed = seed

    def _judged(self, quantity: Quantity) -> Quantity:
        """What is exact or a bound for the examples at hand is an estimate where they are a sample."""
        modes = self.modes
        if modes.population == modes.n or quantity.kind not in (Kind.EXACT, Kind.BOUND):
            return quantity
        note = f"{quantity.note}, " * bool(quantity.note)
        note += f"on {modes.n:,} of {modes.population:,} examples"
        return replace(quantity, kind=Kind.ESTIMATE, note=note)

    @property
    def spectrum(self) -> Spectrum:
        """Eigenvalues of the Hessian (weight decay included) and its condition number."""
        return self.modes.spectrum

    @property
    def optimum(self) -> Float[Array, " D"]:
        """``θ* = (w*, b*)``, of smallest norm where there are many."""
        return self.modes.optimum

    @property
    def loss_at_optimum(self) -> float:
        """``L(θ*)``: ``L*`` unless there is weight decay."""
        return self.modes.loss_at_optimum

    @cached_property
    def full_batch_limit(self) -> Quantity:
        """``2(1 + μ)/λmax``, exact."""
        return self._judged(full_batch_limit(self.spectrum, momentum=self.momentum))

    @cached_property
    def best_full_batch_rate(self) -> Quantity:
        """``2/(λmin + λmax)``, exact; without momentum."""
        return self._judged(best_full_batch_rate(self.spectrum, momentum=self.momentum))

    @cached_property
    def limit(self) -> Quantity:
        """The mean-square limit, for minibatches drawn independently at each step.

        Shuffled epochs are measured to be no less stable, so there it stands on the safe side.
        """
        if self.momentum:
            return Quantity.unavailable(_NO_MOMENTUM)
        return self._judged(mean_square_limit(self.modes, self.batch_size))

    @cached_property
    def safe_bound(self) -> Quantity:
        """A rate that is certainly below the mean-square limit."""
        if self.momentum:
            return Quantity.unavailable(_NO_MOMENTUM)
        return self._judged(mean_square_bound(self.modes, self.batch_size))

    @cached_property
    def gaussian_limit(self) -> Quantity:
        """What the mean-square limit would be for Gaussian features of the same spectrum."""
        if self.momentum or self.modes.weight_decay:
            return Quantity.unavailable("the Gaussian formula knows neither momentum nor decay")
        return self._judged(gaussian_limit(self.spectrum.eigenvalues, self.batch_size))

    @cached_property
    def typical_limit(self) -> Quantity:
        """The rate at which a typical run neither shrinks nor grows; an estimate."""
        limit = self.limit.value
        if limit is None:
            limit = mean_square_bound(self.modes, self.batch_size).value or 1.0
        return typical_limit(
            self.modes,
            self.batch_size,
            near=limit,
            shuffle=self.shuffle,
            momentum=self.momentum,
            seed=self._seed,
        )

    def floor(self, lrs: Float[Array, " K"]) -> Prediction:
        """Where the average loss at epoch ends settles, for each rate."""
        if self.momentum:
            return _unavailable(lrs, np.full(lrs.size, np.nan))
        find = shuffled_floor if self.shuffle else independent_floor
        return find(self.modes, self.batch_size, lrs)

    def curve(
        self, lrs: Float[Array, " K"], epochs: int, *, weights: Float[Array, " d"] | None = None
    ) -> Prediction:
        """Average loss before training and after each epoch, shape (K, epochs + 1).

        ``weights`` is a known start; without it the average is over ``w ~ N(0, 0.01²)`` too.
        """
        if self.momentum:
            return _unavailable(lrs, np.full((lrs.size, epochs + 1), np.nan))
        follow = shuffled_curve if self.shuffle else independent_curve
        return follow(self.modes, self.batch_size, lrs, epochs, weights=weights)

    def best_rate(self, epochs: int) -> Quantity:
        """The rate below the limit with the least predicted loss after so many epochs.

        Searched on a logarithmic grid and again around its best, to 4 % or, for more than 100 directions,
        11 %; from a ten-thousandth of the limit on. The predicted loss is flat there, so neighbours within
        a few per cent do as well.
        """
        limit = self.limit.value
        if limit is None:
            return Quantity.unavailable(self.limit.note)
        follow = shuffled_curve if self.shuffle else independent_curve
        low, high = limit * 1e-4, limit
        passes, rates = (2, 24) if self.modes.rank <= _WIDE else (3, 8)
        for _ in range(passes):
            lrs = np.geomspace(low, high, rates)
            best = int(
                np.argmin(
                    follow(self.modes, self.batch_size, lrs, epochs, coarse=True).losses[:, -1]
                )
            )
            low, high = lrs[max(best - 1, 0)], lrs[min(best + 1, lrs.size - 1)]
        return Quantity(float(lrs[best]), Kind.ESTIMATE, note="least predicted loss")

    def growth(self, lrs: Float[Array, " K"]) -> Growth:
        """Mean log growth per step and its variance, for each rate; simulated."""
        return measure_growth(
            self.modes,
            self.batch_size,
            lrs,
            shuffle=self.shuffle,
            momentum=self.momentum,
            seed=self._seed,
        )

    def diverged_share(self, lrs: Float[Array, " K"], epochs: int) -> Float[Array, " K"]:
        """Estimated share of runs whose loss after so many epochs is above where it started."""
        modes = self.modes
        p = batch_variance(modes.population, self.batch_size)
        m, second = modes.start()
        slope, G = modes.data_slope, modes.data_hessian
        start = modes.loss_at_optimum - slope @ m + 0.5 * np.sum(G * second)
        V = modes.coarse_directions.noise
        after_one_step = modes.loss_at_optimum + 0.5 * lrs**2 * p * float(G.diagonal() @ V)
        found = self._tail_floor
        growth, tail = self.growth(lrs if found is None else np.append(lrs, found[1])), None
        epoch = -(-modes.population // self.batch_size)
        if found is not None and growth.local_variance[-1] > 0:
            spreads = float(growth.variance[-1]), float(growth.local_variance[-1])
            tail = Tail(*found, *spreads, epoch)
        return diverged_share(
            growth.first(lrs.size),
            steps=epoch * epochs,
            start_loss=float(start),
            noise_loss=after_one_step,
            tail=tail,
            start_excess=float(start) - modes.loss_at_optimum,
        )

    @cached_property
    def _tail_floor(self) -> tuple[float, float, float, float] | None:
        """Both limits, a rate near the first and the floor there; None where errors have no such tail."""
        limit, typical = self.limit.value, self.typical_limit.value
        if limit is None or typical is None or self.limit.kind is Kind.BOUND or typical <= limit:
            return None
        near = _NEAR * limit
        floor = independent_floor(self.modes, self.batch_size, np.array([near]), coarse=True)
        excess = float(floor.losses[0]) - self.modes.loss_at_optimum
        return (limit, typical, near, excess) if 0 < excess < np.inf else None

    def verdict(self, lr: float, epochs: int | None = None) -> Judgement:
        """Safe, borderline or diverges, with the numbers; of a borderline rate the share after ``epochs``."""
        return self.verdicts([lr], epochs)[0]

    def verdicts(self, lrs: Sequence[float], epochs: int | None = None) -> list[Judgement]:
        """The same for several rates, whose shares come from one simulation."""
        words = [judge(lr, self.limit, self.typical_limit) for lr in lrs]
        shares: dict[float, float] = {}
        if epochs is not None:
            borderline = [
                lr for lr, word in zip(lrs, words, strict=True) if word is Verdict.BORDERLINE
            ]
            if borderline:
                found = self.diverged_share(np.array(borderline, dtype=np.float64), epochs)
                shares = dict(zip(borderline, found.tolist(), strict=True))
        return [
            Judgement(
                lr=lr,
                verdict=word,
                batch_size=self.batch_size,
                n=self.modes.population,
                batch_variance=batch_variance(self.modes.population, self.batch_size),
                largest_eigenvalue=self.spectrum.largest,
                full_batch_limit=self.full_batch_limit,
                limit=self.limit,
                typical_limit=self.typical_limit,
                diverged_share=shares.get(lr),
                epochs=epochs,
                momentum=self.momentum,
                weight_decay=self.modes.weight_decay,
                shuffle=self.shuffle,
                slow=(
                    lr in shares
                    and self._tail_floor is None
                    and self.spectrum.condition_number > _SLOW
                ),
            )
            for lr, word in zip(lrs, words, strict=True)
        ]


def _unavailable(lrs: Float[Array, " K"], losses: Float[Array, "*shape"]) -> Prediction:
    return Prediction(lrs, losses, Kind.UNAVAILABLE, _NO_MOMENTUM)
