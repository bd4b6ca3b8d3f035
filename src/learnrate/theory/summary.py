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
from learnrate.theory.simulated_share import share_above_start
from learnrate.theory.spectrum import Spectrum
from learnrate.theory.two_sides import WIDE
from learnrate.theory.typical_run import typical_limit
from learnrate.theory.verdict import Judgement, Verdict, judge

__all__ = ["Theory", "analyse"]

_SAMPLINGS = ("shuffle", "independent")
_NO_MOMENTUM = "with momentum there is no closed form for averages over minibatch orders"
_DOUBTFUL = 0.25
"""An estimate that may be off by more than this part of it is not given."""

_SEARCH = 100
"""Directions from which on the best rate is searched with fewer rates at once."""


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
        self._best_rates: dict[int, Quantity] = {}

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
        near = limit or mean_square_bound(self.modes, self.batch_size).value or 1.0
        found = typical_limit(
            self.modes,
            self.batch_size,
            near=near,
            shuffle=self.shuffle,
            momentum=self.momentum,
            seed=self._seed,
        )
        if found.value is None or limit is None or found.value >= limit:
            return found
        return replace(found, value=limit)  # what settles on average settles in a typical run

    def floor(self, lrs: Float[Array, " K"]) -> Prediction:
        """Where the average loss at epoch ends settles, for each rate; NaN where that is not known.

        That is so, too, where an estimate may be off by more than a quarter.
        """
        if self.momentum:
            return _unavailable(lrs, np.full(lrs.size, np.nan))
        find = shuffled_floor if self.shuffle else independent_floor
        found = _known(find(self.modes, self.batch_size, lrs))
        return replace(found, losses=self._agreeing(lrs, found.losses))

    def _agreeing(self, lrs: Float[Array, " K"], floors: Float[Array, " K"]) -> Float[Array, " K"]:
        """Floors that do not contradict the limits, which are better known.

        Infinite where the average, or with shuffled epochs a typical run, does not settle; NaN, for not known,
        where a floor has been estimated as infinite though the limit says that it is not.
        """
        limit, typical = self.limit, self.typical_limit
        if self.shuffle and typical.value is None and limit.value is not None:
            floors = np.where(lrs > limit.value, np.nan, floors)
        edge = typical if self.shuffle else limit
        if edge.value is not None and edge.kind is not Kind.BOUND:
            # Beyond the limit of a typical run the verdict is that it diverges; a floor must not say otherwise.
            doubt = 0.0 if self.shuffle else edge.standard_error or 0.0
            floors = np.where(lrs > edge.value + doubt, np.inf, floors)
        if limit.value is not None:
            floors = np.where((lrs < limit.value) & np.isinf(floors), np.nan, floors)
        return floors

    def curve(
        self, lrs: Float[Array, " K"], epochs: int, *, weights: Float[Array, " d"] | None = None
    ) -> Prediction:
        """Average loss before training and after each epoch, shape (K, epochs + 1).

        ``weights`` is a known start; without it the average is over ``w ~ N(0, 0.01²)`` too. NaN where an estimate
        may be off by more than a quarter.
        """
        if self.momentum:
            return _unavailable(lrs, np.full((lrs.size, epochs + 1), np.nan))
        follow = shuffled_curve if self.shuffle else independent_curve
        return _known(follow(self.modes, self.batch_size, lrs, epochs, weights=weights))

    def best_rate(self, epochs: int) -> Quantity:
        """The rate below the limit with the least predicted loss after so many epochs.

        Searched on a logarithmic grid and again around its best, to 4 % or, for more than 100 directions,
        11 %; for more than 320, 46 %. From a ten-thousandth of the limit on. The predicted loss is flat there, so
        neighbours within a few per cent do as well.
        """
        if epochs not in self._best_rates:
            self._best_rates[epochs] = self._search(epochs)
        return self._best_rates[epochs]

    def _search(self, epochs: int) -> Quantity:
        limit = self.limit.value
        if limit is None:
            return Quantity.unavailable(self.limit.note)
        follow = shuffled_curve if self.shuffle else independent_curve
        low, high = limit * 1e-4, limit
        r = self.modes.rank
        passes, rates = (2, 24) if r <= _SEARCH else (3, 8) if r <= WIDE else (2, 8)
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
        """Share of simulated runs whose loss after so many epochs is above where it started.

        NaN where counting would take long; see `learnrate.theory.simulated_share`.
        """
        found = share_above_start(
            self.modes,
            self.batch_size,
            lrs,
            epochs,
            shuffle=self.shuffle,
            momentum=self.momentum,
            seed=self._seed,
        )
        return np.full(lrs.size, np.nan) if found is None else found

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
                shares = {
                    lr: share
                    for lr, share in zip(borderline, found.tolist(), strict=True)
                    if not np.isnan(share)
                }
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
            )
            for lr, word in zip(lrs, words, strict=True)
        ]


def _known(found: Prediction) -> Prediction:
    """Without what is too much in doubt; an infinite loss is no estimate of a size."""
    if found.doubt is None:
        return found
    doubtful = ~(found.doubt <= _DOUBTFUL) & np.isfinite(found.losses)
    return replace(found, losses=np.where(doubtful, np.nan, found.losses))


def _unavailable(lrs: Float[Array, " K"], losses: Float[Array, "*shape"]) -> Prediction:
    return Prediction(lrs, losses, Kind.UNAVAILABLE, _NO_MOMENTUM)
