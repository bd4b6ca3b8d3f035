"""The measured curves of a sweep, for any model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from learnrate._shapes import Array, Float, Int
from learnrate.errors import OptionError
from learnrate.sweeps.config import SweepConfig
from learnrate.sweeps.suggestion import Suggestion
from learnrate.training.problem import Horizon

__all__ = ["Measured"]


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Measured:
    """The curves of all lanes of a sweep.

    Attributes
    ----------
    config : SweepConfig
        The settings.
    lrs : float64 array, shape (K,)
        Learning rates.
    losses : float64 array, shape (S, K, E + 1)
        Mean loss over the training examples, for every seed and rate, before training and after each
        epoch. Not finite once a lane has diverged.
    val_losses : float64 array, shape (S, K, E + 1), or None
        Mean loss over the held-out examples.
    engine, engine_reason : str
        The engine that trained the lanes, and why it was chosen.
    seconds : float
        Wall time of the training.
    source : str
        The examples as they are written in a Python call, such as ``"X, y"``.
    horizon : Horizon, optional
        When lanes were measured; by default after each epoch.
    pruned : int array, shape (K,), optional
        For a rate that was ended early because it could no longer be the best, the index of its last measurement; its
        curves are NaN after it. −1 for all others.
    wanted : int, optional
        The length of a longer run for which reports and pictures also suggest a rate.
    """

    config: SweepConfig
    lrs: Float[Array, " K"]
    losses: Float[Array, "S K epochs"]
    val_losses: Float[Array, "S K epochs"] | None
    engine: str
    engine_reason: str
    seconds: float
    source: str = "X, y"
    horizon: Horizon | None = None
    pruned: Int[Array, " K"] | None = None
    wanted: int | None = None

    def _pruned_at(self, k: int) -> int | None:
        """The last measurement of a rate that was ended early; None if it was not ended, or had diverged by then."""
        if self.pruned is None or self.pruned[k] < 0:
            return None
        point = int(self.pruned[k])
        return point if np.isfinite(self.losses[:, k, : point + 1]).all() else None

    @property
    def seeds(self) -> Array:
        """The seeds that were run, shape (S,)."""
        return self.config.seed + np.arange(self.losses.shape[0])

    @property
    def unit(self) -> str:
        """The unit of `positions`: ``"epoch"`` or ``"step"`` (of the optimizer)."""
        return "epoch" if self.horizon is None else self.horizon.unit

    @property
    def positions(self) -> Int[Array, " points"]:
        """When lanes were measured, in epochs or steps; the first is 0, before training."""
        points = self.losses.shape[2]
        return np.arange(points) if self.horizon is None else self.horizon.positions[:points]

    @property
    def length(self) -> int:
        """Number of epochs or steps that every lane was trained for."""
        return int(self.positions[-1])

    @property
    def epochs(self) -> int:
        """Number of whole epochs that every lane was trained for."""
        if self.horizon is None or self.horizon.unit == "epoch":
            return self.length
        return self.length // (self.horizon.per_epoch or self.length + 1)

    def suggestion(self, horizon: int | None = None) -> Suggestion:
        """The recommended rate."""
        raise NotImplementedError

    def lane(self, lr: float | None = None, seed: int | None = None) -> tuple[int, int]:
        """Indices ``(s, k)`` of a lane in `losses`.

        Parameters
        ----------
        lr : float, optional
            One of `lrs`; by default the suggested one.
        seed : int, optional
            One of `seeds`; by default the first.

        Raises
        ------
        OptionError
            If that lane was not trained, or if ``lr`` is not given and there is no suggestion.
        """
        if lr is None:
            lr = self.suggestion().lr
            if lr is None:
                raise OptionError(f"lr must be named here. {self.suggestion()}")
        if isinstance(lr, bool) or not isinstance(lr, int | float | np.number):
            raise OptionError(
                f"lr must be one of the learning rates, a number. Got {lr!r} instead."
            )
        ks = np.flatnonzero(np.isclose(self.lrs, lr, rtol=1e-9, atol=0))
        ss = np.flatnonzero(self.seeds == (self.config.seed if seed is None else seed))
        if not ks.size or not ss.size:
            nearest = self.lrs[np.argmin(np.abs(self.lrs - lr))]
            raise OptionError(
                f"A lane must have been trained. Got lr={lr!r}, seed={seed!r} instead; the nearest "
                f"rate is {float(nearest)!r} and the seeds run from {self.seeds[0]} to {self.seeds[-1]}."
            )
        return int(ss[0]), int(ks[0])

    def latest(self) -> dict[str, Any]:
        """The last measurements: ``lr`` (K,), the ``epoch`` or ``step``, and the values (S, K) of each quantity."""
        return {self.unit: self.length, "lr": self.lrs, **self._measured_last()}

    def _measured_last(self) -> dict[str, Float[Array, "S K"]]:
        """The last values of each quantity that has a curve."""
        found = {"loss": self.losses[:, :, -1]}
        if self.val_losses is not None:
            found["val_loss"] = self.val_losses[:, :, -1]
        return found
