"""The result of a sweep of linear models: curves, and parameters in the user's own units."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

from learnrate._shapes import Array, Float
from learnrate.data.order import Sampling
from learnrate.data.prepared import Prepared
from learnrate.errors import InputError
from learnrate.report.curves import format_rate
from learnrate.sweeps.config import SweepConfig
from learnrate.sweeps.model import LinearModel
from learnrate.sweeps.result import SweepResult, finite_list
from learnrate.sweeps.validation import r_squared
from learnrate.theory import Kind, Prediction, Theory, analyse
from learnrate.theory.verdict import Verdict, judge

__all__ = ["LinearSweepResult", "theory_of"]

_FEW_SENTENCES = 3
_FEW = 12
"""Longer lists are cut here."""


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class LinearSweepResult(SweepResult):
    """Curves, parameters and outcomes of all lanes of a sweep of ``ŷ = X·w + b``.

    Attributes
    ----------
    W, b : float64 arrays, shapes (S, K, d) and (S, K)
        Final parameters in the user's own units.
    data : Prepared
        The examples as they were trained on, and what was left out, and why.
    """

    W: Float[Array, "S K d"]
    b: Float[Array, "S K"]
    data: Prepared

    @cached_property
    def theory(self) -> Theory | None:
        """What can be said before training; None where a schedule changes the rate, which it does not know.

        Limits are worked out for a constant rate; see `learnrate.theory.Theory` for all there is. None as well
        where the numbers of the examples, or the weight decay, are too large for fourth moments.
        """
        if self.config.schedule != "constant":
            return None
        try:
            return theory_of(self.data, self.config)
        except InputError:
            return None

    @property
    def why_no_theory(self) -> str | None:
        """Why nothing can be said before training: a phrase; None where something can."""
        if self.theory is not None:
            return None
        if self.config.schedule != "constant":
            return "limits are worked out for a constant rate, and here a schedule changes it"
        return "the numbers of the examples, or the weight decay, are too large for fourth moments"

    @property
    def limit(self) -> float | None:
        """The mean-square limit for this data and batch size; None if not known."""
        return None if self.theory is None else self.theory.limit.value

    @property
    def typical_limit(self) -> float | None:
        """The limit of a typical run for this data and batch size; None if not known."""
        return None if self.theory is None else self.theory.typical_limit.value

    @cached_property
    def _predicted(self) -> Float[Array, "K epochs"] | None:
        return None if self.theory is None else _known(self.theory.curve(self.lrs, self.epochs))

    @property
    def predicted(self) -> Float[Array, "K epochs"] | None:
        """Expected loss of each rate before training and after each epoch; None if not known."""
        return self._predicted

    @cached_property
    def _floors(self) -> Float[Array, " K"] | None:
        return None if self.theory is None else _known(self.theory.floor(self.lrs))

    @property
    def floors(self) -> Float[Array, " K"] | None:
        """The loss that SGD noise keeps each rate from going below, predicted; None if not known."""
        return self._floors

    @cached_property
    def _verdicts(self) -> tuple[str, ...] | None:
        theory = self.theory
        if theory is None:
            return None
        limits = theory.limit, theory.typical_limit
        return tuple(judge(float(lr), *limits).word for lr in self.lrs)

    @property
    def verdicts(self) -> tuple[str, ...] | None:
        """For each rate safe, borderline or diverges, said before training; None if not known."""
        return self._verdicts

    def verdict_sentences(self) -> tuple[str, ...]:
        """The limits, and what was to be expected of the rates that are not safe; empty if not known."""
        theory = self.theory
        if theory is None:
            return ()
        independent = (
            "" if self.config.sampling is Sampling.INDEPENDENT else " for independent draws"
        )
        limits = (
            f"Limits of the learning rate at batch size {theory.batch_size}: mean-square, up to which "
            f"the mean over runs converges, {theory.limit}{independent}; typical run {theory.typical_limit}; "
            f"full batches {theory.full_batch_limit}."
        )
        verdicts = self.verdicts or ()
        known = Verdict.SAFE.word, Verdict.UNKNOWN.word
        unsafe = [
            float(lr) for lr, word in zip(self.lrs, verdicts, strict=True) if word not in known
        ]
        judged = theory.verdicts(unsafe[:_FEW_SENTENCES], self.epochs)
        sentences = [judgement.sentence for judgement in judged]
        if len(unsafe) > _FEW_SENTENCES:
            sentences.append(f"… and {len(unsafe) - _FEW_SENTENCES} more rates that are not safe.")
        unknown = [lr for lr, word in zip(self.lrs, verdicts, strict=True) if word == known[1]]
        if unknown:
            largest = format_rate(float(max(unknown)))
            sentences.append(
                f"Up to {largest}, {len(unknown)} rates are not judged: the limits that are known do not "
                "decide them."
                if len(unknown) > 1
                else f"{largest} is not judged: the limits that are known do not decide it."
            )
        return (limits, *sentences, *self._about_the_sample())

    @cached_property
    def _predicted_best(self) -> float | None:
        return None if self.theory is None else self.theory.best_rate(self.epochs).value

    @property
    def predicted_best(self) -> float | None:
        """The rate with the least expected loss at this horizon; None if not known."""
        return self._predicted_best

    @cached_property
    def _r2(self) -> Float[Array, "S K"] | None:
        variance = self.data.val_variance
        if self.val_losses is None or variance is None:
            return None
        return r_squared(self.val_losses[:, :, -1], variance)

    @property
    def r2(self) -> Float[Array, "S K"] | None:
        """R² on the held-out examples after the last epoch; None where nothing was held out."""
        return self._r2

    def model(self, lr: float | None = None, seed: int | None = None) -> LinearModel:
        """The trained model of one lane, in the user's own units.

        Parameters and errors are those of `lane`.
        """
        s, k = self.lane(lr, seed)
        return LinearModel(
            self.W[s, k], float(self.b[s, k]), self.data.feature_names, self.data.target_name
        )

    @property
    def title(self) -> str:
        """Heading of a report."""
        return f"Predicting {self.data.target_name} under many learning rates"

    @property
    def fingerprint(self) -> str:
        """Tells whether two results rest on the same examples: see `Prepared.fingerprint`."""
        return self.data.fingerprint

    def data_facts(self) -> tuple[tuple[str, str], ...]:
        """What is known about the examples: name and value."""
        data = self.data
        names = data.feature_names
        more = f", … ({len(names)} in all)" if len(names) > _FEW else ""
        facts = {
            "examples": f"{data.n:,}",
            "held out": f"{data.held_out:,}" if data.held_out else None,
            "target": data.target_name,
            "features": ", ".join(names[:_FEW]) + more,
        }
        return tuple((name, value) for name, value in facts.items() if value is not None)

    def remarks(self) -> tuple[str, ...]:
        """What was done to the examples: sentences."""
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
        """What the predictions rest on, where the examples are too many for memory."""
        if self.data.stored is None or len(self.data.y_train) == self.data.n:
            return ()
        sample = f"{len(self.data.y_train):,} evenly spaced ones of the {self.data.n:,} examples"
        return (f"Limits, floors and predictions are estimates from {sample}.",)

    def as_dict(self) -> dict[str, Any]:
        """Everything as JSON can hold it; a number that is not finite is null."""
        return {**super().as_dict(), "data": self._data_as_dict()}

    def _lane_as_dict(self, s: int, k: int) -> dict[str, Any]:
        parameters = {
            "weights": finite_list(self.W[s, k]),
            "bias": finite_list([self.b[s, k]])[0],
        }
        return {**super()._lane_as_dict(s, k), **parameters}

    def _data_as_dict(self) -> dict[str, Any]:
        data = self.data
        return {
            "examples": data.n,
            "held_out": data.held_out,
            "features": list(data.feature_names),
            "target": data.target_name,
            "fingerprint": self.fingerprint,
            "standardized": data.scaling is not None,
            "left_out": {column.name: column.reason for column in data.left_out},
            "references": data.references or {},
            "notes": list(data.notes),
        }


# The grid of a sweep and its result ask about the same examples: what was worked out for one serves the other.
_latest: WeakKeyDictionary[Prepared, tuple[tuple[object, ...], Theory]] = WeakKeyDictionary()


def theory_of(data: Prepared, config: SweepConfig) -> Theory:
    """What can be said before training with these settings at a constant rate.

    The latest answer for the same examples is kept as long as they are.
    """
    settings = (config.batch_size, config.sampling, config.momentum, config.weight_decay)
    known, theory = _latest.get(data, (None, None))
    if theory is None or known != settings:
        theory = analyse(
            data.X_train,
            data.y_train,
            config.batch_size,
            sampling=str(config.sampling),
            momentum=config.momentum,
            weight_decay=config.weight_decay,
            population=data.n,
        )
        _latest[data] = settings, theory
    return theory


def _known(prediction: Prediction) -> Array | None:
    """Its losses, or None where there is no prediction."""
    return None if prediction.kind is Kind.UNAVAILABLE else prediction.losses
