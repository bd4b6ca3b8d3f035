"""What was measured in a sweep, whatever was trained."""

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
        What was asked for.
    lrs : float64 array, shape (K,)
        Learning rates.
    losses : float64 array, shape (S, K, E + 1)
        Mean loss over the training examples, for every seed and rate, before training and after each
        epoch. Not finite once a lane has diverged.
    val_losses : float64 array, shape (S, K, E + 1), or None
        The same over held-out examples.
    engine, engine_reason : str
        What executed the lanes, and why it was chosen.
    seconds : float
        Wall time of the training.
    source : str
        The examples, as the call in Python that would train on them again names them.
    horizon : Horizon, optional
        Where lanes were measured; after each epoch unless given.
    pruned : int array, shape (K,), optional
        The number of the measurement after which a rate was ended, since it could no longer be the best: its curves
        are nan from there on. −1 for rates that were not.
    wanted : int, optional
        The length of a longer run, whose rate is suggested in reports and pictures as well.
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
        """The measurement after which a rate was ended early; None if it was not, or had diverged by then."""
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
        """What `positions` count: ``"epoch"`` or ``"step"`` (of the optimizer)."""
        return "epoch" if self.horizon is None else self.horizon.unit

    @property
    def positions(self) -> Int[Array, " points"]:
        """Where lanes were measured, in epochs or steps; the first is 0, before training."""
        points = self.losses.shape[2]
        return np.arange(points) if self.horizon is None else self.horizon.positions[:points]

    @property
    def length(self) -> int:
        """Epochs or steps that every lane was trained for."""
        return int(self.positions[-1])

    @property
    def epochs(self) -> int:
        """Whole epochs that every lane was trained for."""
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
            One of `lrs`; the suggested one unless given.
        seed : int, optional
            One of `seeds`; the first unless given.

        Raises
        ------
        OptionError
            If that lane was not trained, or there is no suggestion to take the rate from.
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
        """What was measured last: ``lr`` (K,), the ``epoch`` or ``step``, and for each quantity its values (S, K)."""
        return {self.unit: self.length, "lr": self.lrs, **self._measured_last()}

    def _measured_last(self) -> dict[str, Float[Array, "S K"]]:
        """Each quantity that has a curve."""
        found = {"loss": self.losses[:, :, -1]}
        if self.val_losses is not None:
            found["val_loss"] = self.val_losses[:, :, -1]
        return found
