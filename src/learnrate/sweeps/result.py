"""What a sweep found, whatever was trained, and how to look at it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.errors import OptionError
from learnrate.report.curves import Curves, format_rate
from learnrate.sweeps.config import SweepConfig
from learnrate.sweeps.outcomes import Outcome, describe_rate, diverged_epoch, judge
from learnrate.sweeps.suggestion import Suggestion, suggest

if TYPE_CHECKING:
    import polars as pl
    import xarray
    from matplotlib.axes import Axes

__all__ = ["SweepResult", "finite_list"]


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class SweepResult:
    """Curves and outcomes of all lanes of a sweep.

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
    """

    config: SweepConfig
    lrs: Float[Array, " K"]
    losses: Float[Array, "S K epochs"]
    val_losses: Float[Array, "S K epochs"] | None
    engine: str
    engine_reason: str
    seconds: float

    @property
    def seeds(self) -> Array:
        """The seeds that were run, shape (S,)."""
        return self.config.seed + np.arange(self.losses.shape[0])

    @property
    def epochs(self) -> int:
        """Epochs that every lane was trained for."""
        return int(self.losses.shape[2]) - 1

    @cached_property
    def outcomes(self) -> tuple[tuple[Outcome, ...], ...]:
        """The outcome of every lane: ``outcomes[s][k]``."""
        return tuple(
            tuple(judge(curve, self._floor_of(k)) for k, curve in enumerate(seed))
            for seed in self.losses
        )

    @cached_property
    def sentences(self) -> tuple[str, ...]:
        """One sentence per rate, over all its seeds."""
        return tuple(
            describe_rate(self.losses[:, k], self._floor_of(k)) for k in range(len(self.lrs))
        )

    @property
    def limit(self) -> float | None:
        """The largest rate at which the mean over runs converges, predicted; None if not known."""
        return None

    @property
    def typical_limit(self) -> float | None:
        """The largest rate at which a typical run converges, predicted; None if not known."""
        return None

    @property
    def predicted(self) -> Float[Array, "K epochs"] | None:
        """Expected loss of each rate before training and after each epoch; None if not known."""
        return None

    @property
    def floors(self) -> Float[Array, " K"] | None:
        """The loss that SGD noise keeps each rate from going below, predicted; None if not known."""
        return None

    @property
    def verdicts(self) -> tuple[str, ...] | None:
        """For each rate safe, borderline or diverges, said before training; None if not known."""
        return None

    @property
    def predicted_best(self) -> float | None:
        """The rate with the least expected loss at this horizon; None if not known."""
        return None

    @property
    def why_no_theory(self) -> str | None:
        """Why nothing can be said before training: a phrase; None where something can."""
        return "limits are worked out for the linear model alone"

    def verdict_sentences(self) -> tuple[str, ...]:
        """The limits, and what was to be expected of the rates that are not safe; empty if not known."""
        return ()

    def _floor_of(self, k: int) -> float | None:
        """Where a rate settles; infinite where it settles nowhere, None if that is not known."""
        if self.floors is None or math.isnan(self.floors[k]):
            return None
        return float(self.floors[k])

    @property
    def r2(self) -> Float[Array, "S K"] | None:
        """R² on held-out examples after the last epoch; None where there is none to tell."""
        return None

    @cached_property
    def _suggestion(self) -> Suggestion:
        held_out = self.val_losses is not None
        losses = self.losses if self.val_losses is None else self.val_losses
        return suggest(
            self.lrs,
            losses[:, :, -1],
            losses[:, :, 0],
            horizon=self.epochs,
            criterion="held-out loss" if held_out else "training loss",
            predicted=None if self.predicted is None else self.predicted[:, -1],
            predicted_best=self.predicted_best,
        )

    def suggestion(self) -> Suggestion:
        """The recommended rate with its reason, horizon and interval; a reason even when there is none."""
        return self._suggestion

    @property
    def title(self) -> str:
        """Heading of a report."""
        return "Loss under many learning rates"

    @property
    def fingerprint(self) -> str | None:
        """Tells whether two results rest on the same examples; None where they are not known."""
        return None

    def data_facts(self) -> tuple[tuple[str, str], ...]:
        """What is known about the examples: name and value."""
        return ()

    def remarks(self) -> tuple[str, ...]:
        """What was done to the examples: sentences."""
        return ()

    def curves(self) -> Curves:
        """The loss curves as the drawings take them."""
        chosen = self.suggestion().lr
        return Curves(
            lrs=self.lrs,
            losses=self.losses,
            outcomes=self.sentences,
            val_losses=self.val_losses,
            r2=self.r2,
            suggested=None if chosen is None else int(np.flatnonzero(self.lrs == chosen)[0]),
            verdicts=self.verdicts,
            predicted=self.predicted,
            limit=self.limit,
            typical_limit=self.typical_limit,
            floors=self.floors,
        )

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

    def to_frame(self) -> pl.DataFrame:
        """Tidy Polars frame, one row per lane and epoch.

        Columns ``lr``, ``seed``, ``epoch`` (0 is before training), ``loss``, ``val_loss`` where examples
        were held out, and ``outcome``.
        """
        import polars as pl

        S, K, points = self.losses.shape
        columns: dict[str, Any] = {
            "lr": np.tile(np.repeat(self.lrs, points), S),
            "seed": np.repeat(self.seeds, K * points),
            "epoch": np.tile(np.arange(points), S * K),
            "loss": self.losses.ravel(),
        }
        if self.val_losses is not None:
            columns["val_loss"] = self.val_losses.ravel()
        names = [outcome.name.lower() for seed in self.outcomes for outcome in seed]
        columns["outcome"] = np.repeat(names, points)
        return pl.DataFrame(columns)

    def plot(self, ax: Axes | None = None, *, log: bool = True) -> Axes:
        """Draw the note's plot: loss against epoch, one labelled curve per rate.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure unless given.
        log : bool
            A log loss axis (the default), or the note's linear one.
        """
        from learnrate.report.static import draw_curves

        return draw_curves(self.curves(), _new_axes() if ax is None else ax, log=log)

    def plot_rates(self, ax: Axes | None = None) -> Axes:
        """Draw the final loss against the learning rate, log–log, with limits, floor and suggestion.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure unless given.
        """
        from learnrate.report.static import draw_rates

        return draw_rates(self.curves(), _new_axes() if ax is None else ax)

    def save(self, path: str | Path, *, log: bool = True, command: str | None = None) -> Path:
        """Write a picture (png, svg, pdf), an interactive report (html) or the numbers (csv, parquet, json).

        A name that ends in ``/``, or an existing folder's, is for `to_tensorboard`.
        A picture whose name ends in ``limit`` or ``rates``, such as ``limit.png``, is that of
        `plot_rates`; any other is that of `plot`.

        Parameters
        ----------
        path : str or Path
            Where to; its suffix decides. A Path loses a ``/`` at its end.
        log : bool
            A log loss axis, for a picture, and for the report to start with.
        command : str, optional
            What the report says that it was made with; the call in Python unless given.

        Raises
        ------
        OutputError
            For a suffix that is not known or a place that cannot be written; nothing half-written stays.
        """
        from learnrate.sweeps.saving import save_sweep

        return save_sweep(self, path, log=log, command=command)

    def to_tensorboard(self, folder: str | Path) -> Path:
        """Write one run per lane for TensorBoard; needs the extra ``tensorboard``.

        The runs lie in a new folder ``sweep-1``, ``sweep-2``, … of ``folder``, named by their rate (and seed,
        where there are several), with the scalars ``loss``, ``val_loss`` and metrics by epoch, and their
        settings and outcome in the HParams table. Look at them with ``tensorboard --logdir FOLDER``.

        Parameters
        ----------
        folder : str or Path
            Made where there is none.

        Returns
        -------
        Path
            The new folder.

        Raises
        ------
        MissingExtraError, OutputError
            If TensorBoard is not installed, or the place cannot be written.
        """
        from learnrate.sweeps.exports import to_tensorboard

        return to_tensorboard(self, folder)

    def to_xarray(self) -> xarray.Dataset:
        """Curves with named axes, an ``xarray.Dataset``; needs the extra ``xarray``.

        ``loss``, ``val_loss`` and metrics over ``(seed, lr, epoch)``, ``outcome`` and ``r2`` over
        ``(seed, lr)``, and where known ``predicted`` over ``(lr, epoch)`` and ``floor`` and ``verdict`` over
        ``lr``; settings, limits and the suggestion in ``attrs``.
        """
        from learnrate.sweeps.exports import to_xarray

        return to_xarray(self)

    def as_dict(self) -> dict[str, Any]:
        """Everything as JSON can hold it; a loss that is not finite is null."""
        from learnrate import __version__

        return {
            "learnrate": __version__,
            "config": self.config.as_dict(),
            "engine": {"name": self.engine, "reason": self.engine_reason},
            "suggestion": vars(self.suggestion()),
            "limit": self.limit,
            "typical_limit": self.typical_limit,
            "rates": [self._rate_as_dict(k) for k in range(len(self.lrs))],
            "lanes": [
                self._lane_as_dict(s, k)
                for s in range(len(self.seeds))
                for k in range(len(self.lrs))
            ],
        }

    def _rate_as_dict(self, k: int) -> dict[str, Any]:
        """One rate, over all its seeds, as JSON can hold it."""
        rate: dict[str, Any] = {"lr": float(self.lrs[k]), "outcome": self.sentences[k]}
        if self.verdicts is not None:
            rate["verdict"] = self.verdicts[k]
        if self.predicted is not None:
            rate["predicted_losses"] = finite_list(self.predicted[k])
        if self.floors is not None:
            rate["floor"] = finite_list([self.floors[k]])[0]
        return rate

    def _lane_as_dict(self, s: int, k: int) -> dict[str, Any]:
        """One lane as JSON can hold it."""
        lane: dict[str, Any] = {
            "lr": float(self.lrs[k]),
            "seed": int(self.seeds[s]),
            "losses": finite_list(self.losses[s, k]),
            "outcome": self.outcomes[s][k].name.lower(),
            "diverged_epoch": diverged_epoch(self.losses[s, k]),
        }
        if self.val_losses is not None:
            lane["val_losses"] = finite_list(self.val_losses[s, k])
        if self.r2 is not None:
            lane["r2"] = finite_list([self.r2[s, k]])[0]
        return lane

    def __repr__(self) -> str:
        """Size and suggestion in a line."""
        S, K, _ = self.losses.shape
        lr = self.suggestion().lr
        return (
            f"<{type(self).__name__}: {K} learning rate{'s' * (K > 1)} × {S} seed{'s' * (S > 1)}, "
            f"{self.epochs} epoch{'s' * (self.epochs > 1)}, "
            f"engine {self.engine}, suggestion {'none' if lr is None else format_rate(lr)}>"
        )


def _new_axes() -> Axes:
    """Axes of a new pyplot figure, so that ``plt.show()`` and notebooks show it."""
    from matplotlib import pyplot as plt

    return plt.subplots(layout="constrained")[1]


def finite_list(values: Any) -> list[float | None]:
    """Floats as JSON can hold them: null for one that is not finite."""
    return [float(v) if math.isfinite(v) else None for v in values]
