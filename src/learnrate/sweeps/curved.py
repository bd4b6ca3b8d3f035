"""Predictions for a loss that is not quadratic: a safe rate, and limits and floors near the optimum."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.data.prepared import Prepared
from learnrate.errors import InputError
from learnrate.report.curves import format_rate
from learnrate.sweeps.config import SweepConfig
from learnrate.sweeps.prediction import Prediction
from learnrate.theory.curvature import largest_curvature
from learnrate.theory.local import Local
from learnrate.theory.modes import Modes
from learnrate.theory.quantity import Kind, Quantity, rounded_down
from learnrate.theory.separability import separable
from learnrate.theory.typical_run import typical_limit
from learnrate.training.losses import Loss
from learnrate.training.losses.optimum import Optimum, find_optimum
from learnrate.training.losses.settling import Settling

__all__ = ["Curved", "CurvedPrediction", "analyse_curved"]

SAFE, SETTLES, UNSETTLED = "proved safe", "settles", "will not settle"
_ROWS = 20_000
_FLOORS = "30 %"
"""The largest relative error of a floor above the least loss, measured on the data sets of docs/theory.md up to twice the limit."""
_NEARLY_FLAT = 1e-8
"""If the smallest eigenvalue of the Hessian, divided by the largest, is below this, a linear program decides whether there is an optimum."""


@dataclass(frozen=True, eq=False)
class Curved:
    """Predictions from the examples, for SGD without momentum at a constant rate.

    Attributes
    ----------
    n, batch_size : int
        Number of examples, and minibatch size.
    kind : Kind
        Exact, or an estimate if only a sample of the examples was used.
    curvature : float
        ``κ``, the bound on ``∂²φ/∂z²``; infinite if there is none.
    norm : float
        ``R²``, the largest ``‖x̃‖²``.
    largest : float
        ``λmax`` of ``(1/n) Σ x̃ x̃ᵀ``.
    weight_decay : float
        α.
    shuffle : bool
        Whether minibatches come from shuffled epochs.
    no_optimum : bool or None
        Whether the classes are linearly separable, so that the loss has no minimum; None if it is not known.
    loss : float or None
        The mean loss at the optimum.
    local : Local or None
        SGD near the optimum; None if there is no optimum or it was not found.
    settling : Settling or None
        The loss at which SGD settles, for all rates.
    modes : Modes or None
        Examples of a least-squares problem with the same Hessian at the optimum; None for several outputs.
    """

    n: int
    batch_size: int
    kind: Kind
    curvature: float
    norm: float
    largest: float
    weight_decay: float
    shuffle: bool
    no_optimum: bool | None
    loss: float | None
    local: Local | None
    settling: Settling | None
    modes: Modes | None

    def excess(self, lrs: Float[Array, " K"]) -> Float[Array, " K"]:
        """The loss at which each rate settles minus the least loss; infinite if it does not settle, NaN if not known."""
        assert self.settling is not None
        return self.settling.excess(lrs, shuffle=self.shuffle)

    @cached_property
    def typical_limit(self) -> Quantity:
        """The largest rate at which a typical run that starts near the optimum converges to it."""
        if self.modes is None or self.limit is None:
            return Quantity.unavailable("it is worked out for a single output")
        return typical_limit(self.modes, self.batch_size, near=self.limit, shuffle=self.shuffle)

    @property
    def safe(self) -> float | None:
        """``2B / (κ(R² + (B − 1)λmax) + Bα)``: below it the mean excess loss stays bounded from any start.

        It holds for independent minibatches. For ``ℓ = κ(R² + (B − 1)λmax)/B`` the difference of minibatch gradients at θ and θ*
        has ``E‖·‖² ≤ ℓ ⟨∇L(θ), θ − θ*⟩``, since a convex φ has ``(φ'(z) − φ'(z*))² ≤ κ (φ'(z) − φ'(z*))(z − z*)``; so
        ``E‖θ − θ*‖²`` falls, except for the noise of the gradient at θ*. None if κ is not bounded or there is no θ*.

        Source: Gower et al. (arXiv 1901.09401), expected smoothness.
        """
        if not np.isfinite(self.curvature) or self.no_optimum:
            return None
        B = self.batch_size
        ell = self.curvature * (self.norm + (B - 1) * self.largest) / B + self.weight_decay
        return 2 / ell

    @property
    def falling(self) -> float:
        """``2/(κ λmax + α)``: below it every full-batch step lowers the loss; 0 if κ is not bounded."""
        return 2 / (self.curvature * self.largest + self.weight_decay)

    @property
    def limit(self) -> float | None:
        """The mean-square limit at the optimum; None if it is not known."""
        return None if self.local is None else self.local.limit


def analyse_curved(data: Prepared, config: SweepConfig, loss: Loss) -> Curved | None:
    """Compute the predictions; None for quadratic losses, with momentum, and for optimizers other than SGD."""
    if loss.quadratic or config.optimizer != "sgd" or config.momentum or config.optimizer_options:
        return None
    every = max(1, -(-len(data.y_train) // _ROWS))
    X, y = data.X_train[::every].astype(np.float64), data.y_train[::every]
    decay = config.weight_decay
    found = find_optimum(loss, X, y, decay)
    no_optimum = _lacks_optimum(loss, found, X, y, decay)
    local = settling = modes = None
    if found is not None and found.reached and not no_optimum:
        local = Local(
            X,
            found.derivative,
            found.second_derivative,
            config.batch_size,
            weight_decay=decay,
            population=data.n,
        )
        settling = Settling(loss, X, y, found, local)
        if loss.outputs == 1:
            modes = _least_squares(X, found, decay, data.n)
    whole = len(y) == data.n and (local is None or local.every == 1)
    return Curved(
        n=data.n,
        batch_size=config.batch_size,
        kind=Kind.EXACT if whole else Kind.ESTIMATE,
        curvature=float("inf") if loss.curvature is None else loss.curvature,
        norm=float((X**2).sum(axis=1).max()) + 1,
        largest=largest_curvature(X, 1.0),
        weight_decay=decay,
        shuffle=str(config.sampling) == "shuffle",
        no_optimum=no_optimum,
        loss=None if local is None or found is None else found.loss,
        local=local,
        settling=settling,
        modes=modes,
    )


def _least_squares(X: Array, found: Optimum, decay: float, population: int) -> Modes | None:
    """Examples ``√φ'' (x, 1)``, whose least-squares Hessian is that of the loss; None if their numbers are too large."""
    weighted = np.sqrt(found.second_derivative[:, :, 0]) * np.column_stack([X, np.ones(len(X))])
    try:
        return Modes(
            weighted, np.zeros(len(X)), weight_decay=decay, population=population, one=None
        )
    except InputError:
        return None


def _lacks_optimum(
    loss: Loss, found: Optimum | None, X: Array, y: Array, decay: float
) -> bool | None:
    """Whether the loss has no minimum; None if it is not known.

    Newton's method mostly answers it: parameters that classify every example correctly prove it, and a minimum with a
    positive definite Hessian disproves it. Otherwise a linear program decides.
    """
    if decay or not loss.of_classes:
        return False
    if found is None:
        return None
    if found.separates:
        return True
    if found.reached and found.flat > _NEARLY_FLAT:
        return False
    return separable(X, y)


@dataclass(frozen=True, eq=False)
class CurvedPrediction(Prediction):
    """`Prediction` for a loss that is not quadratic: verdicts, floors and limits hold near the optimum.

    Attributes
    ----------
    curved : Curved
        The predictions from the examples; None if there are none.
    bounded : bool
        Whether the gradient is bounded, so that no loss grows without bound.
    """

    curved: Curved | None = None
    bounded: bool = False

    @property
    def limit(self) -> float | None:
        """The largest rate at which the mean over runs settles near the optimum."""
        return None if self.curved is None else self.curved.limit

    @property
    def typical_limit(self) -> float | None:
        """The largest rate at which a typical run settles near the optimum."""
        curved = self.curved
        return None if curved is None or curved.local is None else curved.typical_limit.value

    @cached_property
    def floors(self) -> Float[Array, " K"] | None:
        """The loss at which each rate settles."""
        curved = self.curved
        if curved is None or curved.local is None or curved.loss is None:
            return None
        return np.asarray(curved.loss + curved.excess(self.lrs))

    @cached_property
    def verdicts(self) -> tuple[str, ...] | None:
        """For each rate ``proved safe``, ``settles`` or ``will not settle``; None if there is no optimum."""
        if self.curved is None or self.curved.local is None:
            return None
        return tuple(self._word(float(lr)) for lr in self.lrs)

    def _word(self, lr: float) -> str:
        assert self.curved is not None
        assert self.curved.limit is not None
        if self.curved.safe is not None and lr < self.curved.safe:
            return SAFE
        return SETTLES if lr < self.curved.limit else UNSETTLED

    @cached_property
    def sentences(self) -> tuple[str, ...]:
        """Sentences about the limits, and about the rates beyond them."""
        curved = self.curved
        if curved is None:
            return ()
        said = []
        if curved.no_optimum:
            said.append(
                "The classes can be told apart without an error, so the loss has no least value and no limit: with full "
                "batches any rate lowers it in the end, a large one after swings (arXiv 2402.15926), and weights grow for ever; "
                "held-out examples or weight decay say when to stop."
            )
            said.append(
                f"With full batches every step lowers the loss at rates below {rounded_down(curved.falling, 4)} (bound)."
            )
        if curved.safe is not None:
            said.append(
                f"Proved safe, whatever the start: below {rounded_down(curved.safe, 4)} (bound, for independent draws at batch "
                f"size {curved.batch_size})."
            )
        if curved.local is not None:
            kind = f"{curved.kind}, for independent draws"
            said.append(
                f"Near the optimum, whose loss is {curved.loss:.4g}: the mean over runs settles below "
                f"{rounded_down(curved.local.limit, 4)} ({kind}); with full batches below "
                f"{rounded_down(curved.local.full_batch_limit, 4)}; for a typical run the limit is {curved.typical_limit}."
            )
            said.append(
                f"Floors are estimates, to {_FLOORS}; no curve is predicted, since far from the optimum the loss bends otherwise."
            )
            beyond = [
                lr
                for lr, word in zip(self.lrs, self.verdicts or (), strict=True)
                if word == UNSETTLED
            ]
            if beyond:
                first, more = float(min(beyond)), len(beyond) - 1
                others = f" and {more} larger" if more else ""
                said.append(
                    f"{format_rate(first)}{others} will not settle at the optimum: {self._instead(first)}."
                )
        return tuple(said)

    def _instead(self, lr: float) -> str:
        """A phrase that says what happens at a rate that will not settle at the optimum."""
        if not self.bounded:
            return "runs may grow without end"
        what = "the gradient is bounded, so runs swing above it"
        floors, curved = self.floors, self.curved
        if floors is None or curved is None or curved.loss is None:
            return what
        above = float(floors[np.flatnonzero(self.lrs == lr)[0]]) - curved.loss
        if not np.isfinite(above):
            return what
        return f"{what}, at {format_rate(lr)} about {above:.2g} above the least loss (estimate, to {_FLOORS})"

    def arithmetic(self, lr: float) -> list[str]:
        """The computation that leads to the verdict on a rate, one line per step."""
        curved = self.curved
        if curved is None:
            return super().arithmetic(lr)
        lines = []
        B = curved.batch_size
        if curved.safe is not None:
            decay = f" + {B}·{curved.weight_decay:g}" if curved.weight_decay else ""
            formula = f"2B/(κ(R² + (B − 1)λmax){' + Bα' if decay else ''})"
            numbers = f"2·{B}/({curved.curvature:g}·({curved.norm:.6g} + {B - 1}·{curved.largest:.6g}){decay})"
            lines += [
                f"κ = {curved.curvature:g}: what no curvature ∂²φ/∂z² exceeds",
                f"R² = {curved.norm:.6g}: the largest ‖x̃‖²; λmax = {curved.largest:.6g}: the largest eigenvalue of (1/n) Σ x̃ x̃ᵀ",
                f"proved safe below {formula} = {numbers} = {curved.safe:.6g} (bound)",
            ]
        if curved.no_optimum:
            lines += [
                f"κ λmax = {curved.curvature:g}·{curved.largest:.6g}: no Hessian of the mean loss has a larger eigenvalue",
                f"with full batches every step lowers the loss below 2/(κ λmax) = {curved.falling:.6g} (bound)",
                "the classes can be told apart: there is no optimum, and no limit",
            ]
        if curved.local is not None:
            local = curved.local
            lines += [
                f"L(θ*) = {curved.loss:.6g} at the optimum, found by Newton's method",
                f"2/λmax(H) = {local.full_batch_limit:.6g}, with H the Hessian there: the limit for full batches (local)",
                f"p = (n − B)/(B(n − 1)) = {local.p:.6g}: what a minibatch keeps of one example's variance",
                f"mean-square limit there = {local.limit:.6g} ({curved.kind}, local)",
            ]
            floor = float(curved.excess(np.array([lr]))[0])
            if np.isfinite(floor) and curved.loss is not None:
                lines.append(
                    f"floor of {format_rate(lr)} = {curved.loss:.6g} + {floor:.3g} (estimate)"
                )
            lines.append(f"{format_rate(lr)}: {self._word(lr)}.")
        elif curved.safe is not None and lr < curved.safe:
            lines.append(f"{format_rate(lr)}: {SAFE}.")
        elif not curved.no_optimum:
            lines.append(f"{format_rate(lr)} is not judged: the optimum was not found in time.")
        return lines
