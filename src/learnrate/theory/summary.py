"""All predictions for one set of examples and batch size, each computed on first use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.errors import OptionError, did_you_mean
from learnrate.theory.closed_form import best_full_batch_rate, full_batch_limit, gaussian_limit
from learnrate.theory.expected_curve import independent_curve, independent_floor
from learnrate.theory.growth import Growth, measure_growth
from learnrate.theory.mean_square import mean_square_bound, mean_square_limit
from learnrate.theory.modes import Modes, batch_variance
from learnrate.theory.quantity import Kind, Prediction, Quantity
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
"""An estimate whose relative error may be larger than this is not given."""

_SEARCH = 100
"""Directions from which on the search for the best rate tries fewer rates at a time."""


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
    """Predict, before training, the limits of the learning rate, loss curves and floors.

    Parameters
    ----------
    X, y : arrays, shapes (n, d) and (n,)
        The examples as they are trained on, without a column of ones for the bias.
    batch_size : int
        Nominal minibatch size B.
    sampling : {"shuffle", "independent"}
        How minibatches are drawn, always without replacement within a minibatch.
    momentum, weight_decay : float
        μ of heavy-ball momentum, and α; the bias is not decayed.
    seed : int
        The seed of simulations and samples made here; it is independent of the seed of a training run.
    population : int, optional
        Number of examples that are trained on, if X and y are a sample of them. Every number then is an
        estimate.

    Returns
    -------
    Theory
        Its attributes and methods compute the numbers.

    Raises
    ------
    DataError, OptionError
        If the arrays or the options are not valid.
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

    def _of_population(self, quantity: Quantity) -> Quantity:
        """The quantity; if the examples are a sample, an exact number or a bound becomes an estimate."""
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
        """``θ* = (w*, b*)``; if there are several, the one with the smallest norm."""
        return self.modes.optimum

    @property
    def loss_at_optimum(self) -> float:
        """``L(θ*)``: ``L*`` unless there is weight decay."""
        return self.modes.loss_at_optimum

    @cached_property
    def full_batch_limit(self) -> Quantity:
        """``2(1 + μ)/λmax``, exact."""
        return self._of_population(full_batch_limit(self.spectrum, momentum=self.momentum))

    @cached_property
    def best_full_batch_rate(self) -> Quantity:
        """``2/(λmin + λmax)``, exact; without momentum."""
        return self._of_population(best_full_batch_rate(self.spectrum, momentum=self.momentum))

    @cached_property
    def limit(self) -> Quantity:
        """The mean-square limit, for minibatches drawn independently at each step.

        For shuffled epochs it is on the safe side: measured, they were never less stable.
        """
        if self.momentum:
            return Quantity.unavailable(_NO_MOMENTUM)
        return self._of_population(mean_square_limit(self.modes, self.batch_size))

    @cached_property
    def safe_bound(self) -> Quantity:
        """A rate that is certainly below the mean-square limit."""
        if self.momentum:
            return Quantity.unavailable(_NO_MOMENTUM)
        return self._of_population(mean_square_bound(self.modes, self.batch_size))

    @cached_property
    def gaussian_limit(self) -> Quantity:
        """The mean-square limit of Gaussian features with the same eigenvalues."""
        if self.momentum or self.modes.weight_decay:
            return Quantity.unavailable("the Gaussian formula knows neither momentum nor decay")
        return self._of_population(gaussian_limit(self.spectrum.eigenvalues, self.batch_size))

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
        return replace(found, value=limit)  # where the mean settles, so does a typical run

    def floor(self, lrs: Float[Array, " K"]) -> Prediction:
        """The loss at which the mean over minibatch orders settles at epoch ends, for each rate.

        NaN where it is not known, or where an estimate may be wrong by more than a quarter.
        """
        if self.momentum:
            return _unavailable(lrs, np.full(lrs.size, np.nan))
        find = shuffled_floor if self.shuffle else independent_floor
        found = _known(find(self.modes, self.batch_size, lrs))
        return replace(found, losses=self._agreeing(lrs, found.losses))

    def _agreeing(self, lrs: Float[Array, " K"], floors: Float[Array, " K"]) -> Float[Array, " K"]:
        """Correct floors that contradict the limits, which are more accurate.

        Infinite where the mean loss, or with shuffled epochs a typical run, does not settle. NaN where a floor was
        estimated as infinite below the limit.
        """
        limit, typical = self.limit, self.typical_limit
        if self.shuffle and typical.value is None and limit.value is not None:
            floors = np.where(lrs > limit.value, np.nan, floors)
        edge = typical if self.shuffle else limit
        if edge.value is not None and edge.kind is not Kind.BOUND:
            # Above the limit of a typical run the verdict is that it diverges, so there is no floor.
            doubt = 0.0 if self.shuffle else edge.standard_error or 0.0
            floors = np.where(lrs > edge.value + doubt, np.inf, floors)
        if limit.value is not None:
            floors = np.where((lrs < limit.value) & np.isinf(floors), np.nan, floors)
        return floors

    def curve(
        self, lrs: Float[Array, " K"], epochs: int, *, weights: Float[Array, " d"] | None = None
    ) -> Prediction:
        """Mean loss before training and after each epoch, shape (K, epochs + 1).

        ``weights``, of shape (d,), are the initial weights; without them the mean is over ``w ~ N(0, 0.01²)`` too. NaN
        where an estimate may be wrong by more than a quarter.
        """
        if self.momentum:
            return _unavailable(lrs, np.full((lrs.size, epochs + 1), np.nan))
        follow = shuffled_curve if self.shuffle else independent_curve
        return _known(follow(self.modes, self.batch_size, lrs, epochs, weights=weights))

    def best_rate(self, epochs: int) -> Quantity:
        """The rate below the limit with the smallest predicted loss after so many epochs.

        Found on a logarithmic grid from a ten-thousandth of the limit on, and on a second one around its best rate. The
        rates of the last grid differ by 4 %; for more than 100 directions by 11 %, for more than 320 by 46 %. Around
        its minimum the predicted loss changes little.
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
        """Mean log growth per step of simulated runs, and its variance, for each rate."""
        return measure_growth(
            self.modes,
            self.batch_size,
            lrs,
            shuffle=self.shuffle,
            momentum=self.momentum,
            seed=self._seed,
        )

    def diverged_share(self, lrs: Float[Array, " K"], epochs: int) -> Float[Array, " K"]:
        """Share of simulated runs whose loss after so many epochs is above their loss at the start, for each rate.

        NaN where the simulation would take long; see `learnrate.theory.simulated_share`.
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
        """Judge one rate: safe, borderline or diverges, with the numbers; see `verdicts`."""
        return self.verdicts([lr], epochs)[0]

    def verdicts(self, lrs: Sequence[float], epochs: int | None = None) -> list[Judgement]:
        """Judge several rates. With ``epochs``, a borderline rate gets the share of runs that diverge in that time."""
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
    """The prediction with NaN for finite losses whose doubt is too large."""
    if found.doubt is None:
        return found
    doubtful = ~(found.doubt <= _DOUBTFUL) & np.isfinite(found.losses)
    return replace(found, losses=np.where(doubtful, np.nan, found.losses))


def _unavailable(lrs: Float[Array, " K"], losses: Float[Array, "*shape"]) -> Prediction:
    return Prediction(lrs, losses, Kind.UNAVAILABLE, _NO_MOMENTUM)
