"""Predictions about the rates of a sweep before training, if there is a theory of the model."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from learnrate._shapes import Array, Float
from learnrate.report.curves import format_rate
from learnrate.theory import Kind, Theory
from learnrate.theory.quantity import rounded_down
from learnrate.theory.verdict import Verdict, judge, safe_on_average

__all__ = ["Prediction"]

_FEW_SENTENCES = 3


@dataclass(frozen=True, eq=False)
class Prediction:
    """Limits, floors and expected curves of the rates of a sweep. Each is None if it is not known.

    Attributes
    ----------
    lrs : float64 array, shape (K,)
        Learning rates.
    epochs : int
        Number of epochs.
    theory : Theory, optional
        The predictions from the examples; None if there are none.
    why_not : str, optional
        A phrase that says why there is no theory.
    """

    lrs: Float[Array, " K"]
    epochs: int
    theory: Theory | None = None
    why_not: str | None = None

    @property
    def limit(self) -> float | None:
        """The largest rate at which the mean over runs converges."""
        return None if self.theory is None else self.theory.limit.value

    @property
    def typical_limit(self) -> float | None:
        """The largest rate at which most single runs converge."""
        return None if self.theory is None else self.theory.typical_limit.value

    @cached_property
    def curve(self) -> Float[Array, "K epochs"] | None:
        """Expected loss of each rate before training and after each epoch."""
        if self.theory is None:
            return None
        curve = self.theory.curve(self.lrs, self.epochs)
        return None if curve.kind is Kind.UNAVAILABLE else curve.losses

    @cached_property
    def floors(self) -> Float[Array, " K"] | None:
        """The loss below which SGD noise does not let each rate go."""
        if self.theory is None:
            return None
        floor = self.theory.floor(self.lrs)
        return None if floor.kind is Kind.UNAVAILABLE else floor.losses

    @cached_property
    def verdicts(self) -> tuple[str, ...] | None:
        """The verdict on each rate, in one or two words: see `learnrate.theory.Verdict`."""
        if self.theory is None:
            return None
        limits = self.theory.limit, self.theory.typical_limit
        return tuple(judge(float(lr), *limits).word for lr in self.lrs)

    def arithmetic(self, lr: float) -> list[str]:
        """The computation that leads to the verdict on a rate, one line per step; or why there is none."""
        if self.theory is not None:
            return self.theory.verdict(lr, self.epochs).arithmetic
        return [f"{format_rate(lr)} is not judged: {self.why_not}."]

    @cached_property
    def best(self) -> float | None:
        """The rate with the smallest expected loss after the last epoch."""
        return None if self.theory is None else self.theory.best_rate(self.epochs).value

    @cached_property
    def sentences(self) -> tuple[str, ...]:
        """Sentences about the limits, and about the rates that are not safe."""
        theory, verdicts = self.theory, self.verdicts
        if theory is None or verdicts is None:
            return ()
        said = (Verdict.BORDERLINE.word, Verdict.DIVERGES.word)
        unsafe = [float(lr) for lr, word in zip(self.lrs, verdicts, strict=True) if word in said]
        judged = theory.verdicts(unsafe[:_FEW_SENTENCES], self.epochs)
        sentences = [judgement.sentence for judgement in judged]
        if len(unsafe) > _FEW_SENTENCES:
            sentences.append(f"… and {len(unsafe) - _FEW_SENTENCES} more rates that are not safe.")
        for verdict in (Verdict.TYPICAL, Verdict.UNKNOWN):
            such = [lr for lr, word in zip(self.lrs, verdicts, strict=True) if word == verdict.word]
            if such:
                sentences.append(self._of_several(theory, verdict, such))
        return (_limits(theory), *sentences)

    def _of_several(self, theory: Theory, verdict: Verdict, lrs: list[float]) -> str:
        """One sentence for all rates with the verdict ``TYPICAL`` or ``UNKNOWN``."""
        rates = f"{len(lrs)} rates up to {format_rate(float(max(lrs)))} are"
        if len(lrs) == 1:
            rates = f"{format_rate(float(lrs[0]))} is"
        if verdict is Verdict.TYPICAL:
            return (
                f"{rates} below the largest rate for most single runs, so most runs converge; whether a few blow up "
                "is not known."
            )
        if theory.limit.value is not None:
            return (
                f"{rates} above {rounded_down(theory.limit.value, 3)}, {safe_on_average(theory.limit)}, and not known "
                "to converge."
            )
        return f"{rates} not judged: the limits that are known do not decide."


def _limits(theory: Theory) -> str:
    """A sentence with the limits, and with the reasons for those that are not known."""
    average, typical, full = theory.limit, theory.typical_limit, theory.full_batch_limit
    given = f" with momentum {theory.momentum:g}" if theory.momentum else ""
    rates, unknown = [], ""
    if average.value is not None:
        least = "at least " if average.kind is Kind.BOUND else ""
        rates.append(f"{least}{_three_digits(average.value)} to be safe on average")
    else:
        unknown += f" Which rate is safe on average is not known: {average.note}."
    if typical.value is not None:
        # A rate that is safe on average is safe for a single run, even if the estimate is lower.
        value = max(typical.value, average.value or 0.0)
        rates.append(f"{_three_digits(value, typical.standard_error)} for most single runs")
    else:
        unknown += f" For single runs it is not known: {typical.note}."
    whole = f"{_three_digits(full.value or 0.0)} with full batches"
    said = f"{', '.join(rates)} ({whole})" if rates else whole
    return f"Largest usable rate at batch size {theory.batch_size}{given}: {said}.{unknown}"


def _three_digits(rate: float, error: float | None = None) -> str:
    """Three digits, rounded down; with the error if it is more than one unit of the last digit."""
    text = f"{float(rounded_down(rate, 3)):#.3g}".rstrip(".")
    small = error is None or error <= 10.0 ** (math.floor(math.log10(rate)) - 2)
    return text if small else f"{text} ± {error:.1g}"
