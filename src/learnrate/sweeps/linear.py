"""The result of a sweep of linear models: curves, and parameters in the user's own units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.data.prepared import Prepared
from learnrate.errors import InputError
from learnrate.report.curves import Curves, counted, format_rate
from learnrate.sweeps.config import SweepConfig
from learnrate.sweeps.curved import Curved, CurvedPrediction, analyse_curved
from learnrate.sweeps.findings import finite_list
from learnrate.sweeps.losses import r_squared
from learnrate.sweeps.model import LinearModel
from learnrate.sweeps.prediction import Prediction
from learnrate.sweeps.result import SweepResult
from learnrate.sweeps.suggestion import Suggestion
from learnrate.theory import Theory, analyse
from learnrate.training.losses import Loss

if TYPE_CHECKING:
    import polars as pl

__all__ = ["LinearSweepResult", "theory_of"]

_ALIKE = 0.05
"""Rates whose expected loss is within this share of the least count as equally good."""
_FEW = 12
"""Number of items after which a list is cut."""


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class LinearSweepResult(SweepResult):
    """Curves, parameters and outcomes of all lanes of a sweep of ``z = X·W + b``.

    Attributes
    ----------
    W, b : float64 arrays, shapes (S, K, d) and (S, K), or (S, K, d, C) and (S, K, C)
        Final parameters in the user's own units, with a column for each of C classes in softmax regression.
    loss : Loss
        The loss that was minimised.
    metrics : mapping from str to float64 arrays, shape (S, K, E + 1)
        Scores, if the loss is not the squared one: see `learnrate.sweeps.losses.scores`.
    data : Prepared
        The examples as they were trained on, and the columns that were left out, with the reasons.
    analysed : Theory or Curved, optional
        The predictions from which the grid of rates was computed; without them they are computed on first use.
    """

    W: Float[Array, "S K ..."]
    b: Float[Array, "S K ..."]
    data: Prepared
    loss: Loss
    metrics: Mapping[str, Float[Array, "S K epochs"]]
    analysed: Theory | Curved | None = None

    @property
    def bounded(self) -> bool:
        """Whether ``∂φ/∂z`` is bounded, so that runs oscillate and do not explode."""
        return self.loss.bounded

    @cached_property
    def theory(self) -> Theory | None:
        """The predictions for squared loss, SGD and a constant rate: see `learnrate.theory.Theory`.

        None for other losses, optimizers and schedules, and if the numbers of the examples, or the weight decay, are too
        large for fourth moments.
        """
        if self.config.schedule != "constant" or not self.config.plain:
            return None
        if isinstance(self.analysed, Theory):
            return self.analysed
        try:
            return theory_of(self.data, self.config)
        except InputError:
            return None

    @cached_property
    def prediction(self) -> Prediction:
        """The predictions made before training: limits, floors and expected curves."""
        why_not, config = None, self.config
        if config.schedule != "constant":
            why_not = "limits are worked out for a constant rate, and here a schedule changes it"
        elif config.optimizer != "sgd":
            why_not = f"limits are worked out for SGD, not for {config.optimizer}"
        elif not self.loss.quadratic:
            curved = self.analysed if isinstance(self.analysed, Curved) else None
            curved = curved or analyse_curved(self.data, config, self.loss)
            why_not = (
                "for this loss limits are worked out without momentum" if curved is None else None
            )
            return CurvedPrediction(
                self.lrs, self.epochs, why_not=why_not, curved=curved, bounded=self.bounded
            )
        elif self.theory is None:
            why_not = (
                "the numbers of the examples, or the weight decay, are too large for fourth moments"
            )
        return Prediction(self.lrs, self.epochs, self.theory, why_not)

    def _suggestion_beyond(self, horizon: int) -> Suggestion:
        """The suggestion for a longer run, by the expected loss; if that is not known, by `learnrate.sweeps.longer`."""
        prediction = self.prediction
        if self.theory is None or isinstance(prediction, CurvedPrediction):
            return super()._suggestion_beyond(horizon)
        longer = replace(prediction, epochs=horizon)
        if longer.curve is None:
            return super()._suggestion_beyond(horizon)
        safe = np.array([word == "safe" for word in longer.verdicts or ()])
        expected = np.where(safe, longer.curve[:, -1], np.inf)
        if not np.isfinite(expected).any():
            why = "no rate that was tried is safe; try smaller ones."
            return Suggestion(None, why, horizon, None, "training loss", longer.best)
        least = float(expected.min())
        alike = np.flatnonzero(expected <= (1 + _ALIKE) * least)
        interval = float(self.lrs[alike].min()), float(self.lrs[alike].max())
        reason = (
            f"Smallest expected training loss after {counted(horizon, 'epoch')}, {least:.3g}, by the theory (the sweep "
            f"trained {counted(self.length, 'epoch')})"
        )
        if alike.size > 1:
            low, high = map(format_rate, interval)
            reason += f"; rates from {low} to {high} are as good within {100 * _ALIKE:g} %"
        best = float(self.lrs[np.argmin(expected)])
        return Suggestion(best, f"{reason}.", horizon, interval, "training loss", longer.best)

    @property
    def _least(self) -> float:
        prediction = self.prediction
        if isinstance(prediction, CurvedPrediction) and prediction.curved is not None:
            return prediction.curved.loss or 0.0
        return 0.0

    def _floor_of(self, k: int) -> float | None:
        """The loss at which a rate settles; 0 if the classes are linearly separable, so that the loss falls forever."""
        prediction = self.prediction
        if isinstance(prediction, CurvedPrediction):
            curved = prediction.curved
            if curved is not None and curved.no_optimum:
                return 0.0
        return super()._floor_of(k)

    def verdict_sentences(self) -> tuple[str, ...]:
        """Sentences about the limits, the rates that are not safe, and the sample that the predictions are from."""
        said = super().verdict_sentences()
        return (*said, *self._about_the_sample()) if said else ()

    @cached_property
    def _r2(self) -> Float[Array, "S K"] | None:
        if "val_r2" in self.metrics:
            return self.metrics["val_r2"][:, :, -1]
        variance = self.data.val_variance
        if self.val_losses is None or variance is None or not self.loss.quadratic:
            return None
        return r_squared(self.val_losses[:, :, -1], variance)

    @property
    def r2(self) -> Float[Array, "S K"] | None:
        """R² on the held-out examples after the last epoch; None if no examples were held out."""
        return self._r2

    @property
    def score(self) -> tuple[str, Float[Array, "S K"]] | None:
        """The name and values of the score, on held-out examples if there are any; None if there is no score."""
        if self.loss.quadratic:
            return super().score
        name, values = list(self.metrics.items())[-1]  # the score on held-out examples is the last
        held_out = name.startswith("val_") and self.loss.score == "accuracy"
        return ("held-out " if held_out else "") + self.loss.score, values[:, :, -1]

    def curves(self) -> Curves:
        """The loss curves and all that is drawn with them."""
        return replace(super().curves(), quantity=self.loss.quantity)

    def to_frame(self) -> pl.DataFrame:
        """Tidy Polars frame, one row per lane and epoch, with the columns of every sweep and one per metric."""
        import polars as pl

        columns = [pl.Series(name, values.ravel()) for name, values in self.metrics.items()]
        return super().to_frame().with_columns(columns)

    def model(self, lr: float | None = None, seed: int | None = None) -> LinearModel:
        """The trained model of one lane, in the user's own units.

        Parameters and errors are those of `lane`.
        """
        s, k = self.lane(lr, seed)
        b = self.b[s, k]
        return LinearModel(
            self.W[s, k],
            float(b) if b.ndim == 0 else b,
            self.data.feature_names,
            self.data.target_name,
            self.loss,
            self.data.classes,
        )

    @property
    def title(self) -> str:
        """Heading of a report."""
        return f"Predicting {self.data.target_name} under many learning rates"

    @property
    def fingerprint(self) -> str:
        """A hash of the examples, to see whether two results have the same ones: see `Prepared.fingerprint`."""
        return self.data.fingerprint

    def data_facts(self) -> tuple[tuple[str, str], ...]:
        """Facts about the examples, as names and values."""
        data = self.data
        names = data.feature_names
        more = f", … ({len(names)} in all)" if len(names) > _FEW else ""
        facts = {
            "examples": f"{data.n:,}",
            "held out": f"{data.held_out:,}" if data.held_out else None,
            "target": data.target_name,
            "classes": data.said_classes,
            "features": ", ".join(names[:_FEW]) + more,
            "loss": None if self.loss.quadratic else self.loss.quantity,
            "optimizer": None if self.config.optimizer == "sgd" else self.config.optimizer,
        }
        return tuple((name, value) for name, value in facts.items() if value is not None)

    def remarks(self) -> tuple[str, ...]:
        """Sentences that say how the examples were changed."""
        data = self.data
        scaled = ("Features were brought to mean 0 and standard deviation 1 for training.",)
        left_out = tuple(f"Left out: {column.name} ({column.reason})." for column in data.left_out)
        sampled = self._about_the_sample()
        return (
            *data.notes,
            *sampled,
            *(scaled if data.scaling is not None else ()),
            *left_out[:_FEW],
        )

    def _about_the_sample(self) -> tuple[str, ...]:
        """A sentence about the sample that predictions are from; empty if they are from all examples."""
        if self.data.stored is None or len(self.data.y_train) == self.data.n:
            return ()
        sample = f"{len(self.data.y_train):,} evenly spaced ones of the {self.data.n:,} examples"
        return (f"Limits, floors and predictions are estimates from {sample}.",)

    def as_dict(self) -> dict[str, Any]:
        """The whole result in types that JSON has; a number that is not finite is null."""
        return {**super().as_dict(), "data": self._data_as_dict()}

    def _lane_as_dict(self, s: int, k: int) -> dict[str, Any]:
        lane = super()._lane_as_dict(s, k)
        W, b = self.W[s, k], self.b[s, k]
        if b.ndim:  # a column for each class
            lane["weights"] = {
                c: finite_list(w) for c, w in zip(self.data.classes, W.T, strict=True)
            }
            lane["bias"] = dict(zip(self.data.classes, finite_list(b), strict=True))
        else:
            lane["weights"], lane["bias"] = finite_list(W), finite_list([b])[0]
        if self.metrics:
            lane["metrics"] = {n: finite_list(values[s, k]) for n, values in self.metrics.items()}
        return lane

    def _data_as_dict(self) -> dict[str, Any]:
        data = self.data
        return {
            "examples": data.n,
            "held_out": data.held_out,
            "features": list(data.feature_names),
            "target": data.target_name,
            "classes": dict(zip(data.classes, data.class_counts, strict=True)),
            "fingerprint": self.fingerprint,
            "standardized": data.scaling is not None,
            "left_out": {column.name: column.reason for column in data.left_out},
            "references": data.references or {},
            "notes": list(data.notes),
        }


def theory_of(data: Prepared, config: SweepConfig) -> Theory:
    """The predictions for these examples and settings, at a constant rate."""
    return analyse(
        data.X_train,
        data.y_train,
        config.batch_size,
        sampling=str(config.sampling),
        momentum=config.momentum,
        weight_decay=config.weight_decay,
        population=data.n,
    )
