"""The verdict on one learning rate, from the limits, before training."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from learnrate.theory.quantity import Kind, Quantity, rounded_down
from learnrate.theory.simulated_share import RUNS

__all__ = ["Judgement", "Verdict", "judge", "safe_on_average"]


_INDEPENDENT = (
    "that limit is for minibatches drawn independently; shuffled epochs were no less stable wherever it was "
    "measured"
)


class Verdict(enum.Enum):
    """The position of a learning rate relative to the limits; the value is a sentence."""

    SAFE = "Safe: below the mean-square limit, so the average over all minibatch orders settles."
    BORDERLINE = (
        "Borderline: in the long run most runs converge; a few blow up and dominate the average."
    )
    DIVERGES = "Diverges: above the limit of a typical run, so nearly every run grows."
    TYPICAL = (
        "Mostly converges: below the limit of a typical run; whether a few blow up is not known."
    )
    UNKNOWN = "Not known: no limit is available that decides it."

    @property
    def word(self) -> str:
        """The verdict in one word or two: ``"safe"``."""
        return self.value.partition(":")[0].lower()


@dataclass(frozen=True)
class Judgement:
    """A verdict with the numbers that it is based on.

    Attributes
    ----------
    lr : float
        The learning rate judged.
    verdict : Verdict
        Safe, borderline, diverges; mostly converges or not known, where a limit is missing.
    batch_size, n : int
        B and the number of examples.
    batch_variance : float
        ``p``, the variance of a minibatch mean divided by the variance of one example.
    largest_eigenvalue : float
        ``λmax``.
    full_batch_limit, limit, typical_limit : Quantity
        The limits: full batch, mean square, typical run.
    diverged_share : float or None
        Share of simulated runs above their starting loss after ``epochs``, if requested and quick to simulate.
    epochs : int or None
        The number of epochs of that share.
    momentum, weight_decay : float
        μ and α.
    shuffle : bool
        Whether minibatches come from shuffled epochs; the mean-square limit is for independent ones.
    """

    lr: float
    verdict: Verdict
    batch_size: int
    n: int
    batch_variance: float
    largest_eigenvalue: float
    full_batch_limit: Quantity
    limit: Quantity
    typical_limit: Quantity
    diverged_share: float | None = None
    epochs: int | None = None
    momentum: float = 0.0
    weight_decay: float = 0.0
    shuffle: bool = False

    @property
    def sentence(self) -> str:
        """The verdict on this rate in one sentence, with its reason."""
        rate, B = f"{self.lr:.4g}", self.batch_size
        limit, typical = self.limit.value, self.typical_limit.value
        average = f"{safe_on_average(self.limit)} at batch size {B}"
        if limit is not None:
            average = f"{rounded_down(limit, 3)}, {average}"
        if self.verdict is Verdict.SAFE and limit is not None:
            return f"{rate} is safe: below {average}."
        if self.verdict is Verdict.BORDERLINE and limit is not None and typical is not None:
            return (
                f"{rate} is borderline: above {average}, and below {rounded_down(typical, 3)}, the largest for most "
                f"single runs; in the long run most converge and a few blow up{self._share()}."
            )
        if self.verdict is Verdict.DIVERGES and typical is not None:
            return (
                f"{rate} diverges: above {rounded_down(typical, 3)}, the largest rate for most single runs at batch size "
                f"{B}; full batches allow {rounded_down(self.full_batch_limit.value or 0.0, 3)}, by the largest curvature, "
                f"λmax = {self.largest_eigenvalue:.3g}."
            )
        if self.verdict is Verdict.TYPICAL and typical is not None:
            given = f" with momentum {self.momentum:g}" if self.momentum else ""
            return (
                f"{rate} is below {rounded_down(typical, 3)}, the largest rate for most single runs at batch size {B}"
                f"{given}, so most runs converge; whether a few blow up is not known."
            )
        if limit is not None:
            return (
                f"{rate} is not known to converge: above {average}; the largest for most single runs is "
                f"{self.typical_limit}."
            )
        return (
            f"{rate} is not judged: the largest rate that is safe on average is {self.limit}, and the largest for most "
            f"single runs is {self.typical_limit}."
        )

    @property
    def arithmetic(self) -> list[str]:
        """The computation that leads to the verdict, one line per step."""
        n, B = self.n, self.batch_size
        p = "p = 0: there is one example"
        if n > 1:
            p = f"p = (n − B)/(B(n − 1)) = ({n} − {B})/({B}·{n - 1}) = {self.batch_variance:.6g}"
            p += ": what a minibatch keeps of one example's variance"
        largest, mu, alpha = self.largest_eigenvalue, self.momentum, self.weight_decay
        decay = f" + {alpha:g}·diag(1, …, 1, 0), weight decay included" if alpha else ""
        formula = (
            f"2(1 + μ)/λmax = 2(1 + {mu:g})/{largest:.6g}" if mu else f"2/λmax = 2/{largest:.6g}"
        )
        lines = [
            f"λmax = {largest:.6g}: the largest eigenvalue of H = (1/n) Σ x̃ x̃ᵀ{decay}",
            f"full-batch limit = {formula} = {self.full_batch_limit}",
            p,
        ]
        for name, limit in (
            ("mean-square limit", self.limit),
            ("typical-run limit", self.typical_limit),
        ):
            if limit.value is None:
                lines.append(f"{name}: {limit}")
            else:
                lines.append(f"{name} = {limit}: {limit.note}; {self._noise(limit.value)}")
        if self.shuffle and self.limit.value is not None and self.batch_variance:
            lines.insert(-1, _INDEPENDENT)
        return [*lines, self.sentence]

    def _noise(self, limit: float) -> str:
        """The effect of batch noise on the full-batch limit, which the text calls "that"."""
        full = self.full_batch_limit.value
        change = 1 - limit / full if full else 0.0
        if abs(change) < 5e-4:
            return "batch noise changes that by less than 0.1 %"
        return f"batch noise {'takes' if change > 0 else 'adds'} {100 * abs(change):.2g} % of that"

    def _share(self) -> str:
        share = self.diverged_share
        if share is None or self.epochs is None:
            return ""
        when = f"after {self.epochs} epoch{'' if self.epochs == 1 else 's'}"
        return f"; {when} {round(RUNS * share)} of {RUNS} simulated runs are above their start"


def safe_on_average(limit: Quantity) -> str:
    """The words for the mean-square limit, or for a bound on it."""
    proved = "known to be " * (limit.kind is Kind.BOUND)
    return f"the largest rate that is {proved}safe on average"


def judge(lr: float, limit: Quantity, typical_limit: Quantity) -> Verdict:
    """Safe below the mean-square limit, borderline up to the typical-run limit, diverges beyond.

    Without a mean-square limit a rate below the typical-run limit converges mostly; without a typical-run limit a rate
    that is not safe is not judged.
    """
    if limit.value is not None and lr < limit.value:
        return Verdict.SAFE
    if typical_limit.value is None:
        return Verdict.UNKNOWN
    if lr > typical_limit.value:
        return Verdict.DIVERGES
    return Verdict.TYPICAL if limit.value is None else Verdict.BORDERLINE
