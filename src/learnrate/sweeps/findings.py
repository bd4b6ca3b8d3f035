"""The numbers of a sweep's result, for any model: curves, outcomes, suggestion and export."""

from __future__ import annotations

import math
from dataclasses import MISSING, dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.data.options import Table
from learnrate.errors import OptionError, option
from learnrate.report.curves import Curves, Outlook, counted, format_rate
from learnrate.sweeps.longer import Swept, on_the_way, suggest_longer
from learnrate.sweeps.measured import Measured
from learnrate.sweeps.options import Optimizer
from learnrate.sweeps.outcomes import Outcome, describe_rate, diverged_at, judge
from learnrate.sweeps.prediction import Prediction
from learnrate.sweeps.suggestion import Suggestion, suggest
from learnrate.theory.verdict import Verdict
from learnrate.training.schedules import Schedule, decays
from learnrate.version import __version__

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Findings", "finite_list"]

_FEW_RATES, _FEW_PLACES = 40, 4


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Findings(Measured):
    """Curves and outcomes of all lanes of a sweep; see `Measured` for the curves."""

    @cached_property
    def outcomes(self) -> tuple[tuple[Outcome, ...], ...]:
        """The outcome of every lane: ``outcomes[s][k]``."""
        start = float(self.losses[:, :, 0].max())
        return tuple(
            tuple(
                Outcome.PRUNED
                if self._pruned_at(k) is not None
                else judge(
                    curve,
                    self._floor_of(k),
                    start,
                    self._least,
                    self._is_safe(k),
                    self.positions,
                    decays(self.config.schedule),
                )
                for k, curve in enumerate(seed)
            )
            for seed in self.losses
        )

    @cached_property
    def sentences(self) -> tuple[str, ...]:
        """One sentence per rate, over all its seeds."""
        return tuple(self._described(k) for k in range(len(self.lrs)))

    def _described(self, k: int) -> str:
        pruned = self._pruned_at(k)
        if pruned is not None:
            return f"pruned after {counted(int(self.positions[pruned]), self.unit)}"
        return describe_rate(
            self.losses[:, k],
            self._floor_of(k),
            bounded=self.bounded,
            least=self._least,
            safe=self._is_safe(k),
            positions=self.positions,
            decays=decays(self.config.schedule),
            unit=self.unit,
        )

    @property
    def _least(self) -> float:
        """The loss at the optimum if it is known to be far above 0, as a log loss is; else 0."""
        return 0.0

    @property
    def bounded(self) -> bool:
        """Whether the derivative of the loss with respect to the output is bounded, so that runs oscillate and do not explode."""
        return False

    @property
    def prediction(self) -> Prediction:
        """What was predicted before training: nothing, except for the linear model."""
        why_not = "limits are worked out for the linear model alone"
        return Prediction(self.lrs, self.epochs, why_not=why_not)

    @property
    def limit(self) -> float | None:
        """The predicted largest rate at which the mean over runs converges; None if it is not known."""
        return self.prediction.limit

    @property
    def typical_limit(self) -> float | None:
        """The predicted largest rate at which a typical run converges; None if it is not known."""
        return self.prediction.typical_limit

    @property
    def predicted(self) -> Float[Array, "K epochs"] | None:
        """The expected loss of each rate before training and after each epoch; None if it is not known."""
        return self.prediction.curve

    @property
    def floors(self) -> Float[Array, " K"] | None:
        """The predicted loss below which SGD noise does not let each rate go; None if it is not known."""
        return self.prediction.floors

    @property
    def verdicts(self) -> tuple[str, ...] | None:
        """The predicted verdict on each rate: ``"safe"``, ``"borderline"``, ``"diverges"``, …; None if there is none."""
        return self.prediction.verdicts

    def verdict_sentences(self) -> tuple[str, ...]:
        """Sentences about the limits, and about the rates that are not safe; empty if there is no prediction."""
        return self.prediction.sentences

    def _floor_of(self, k: int) -> float | None:
        """The loss at which a rate settles; infinite if it does not settle, None if it is not known."""
        if self.floors is None or math.isnan(self.floors[k]):
            return None
        return float(self.floors[k])

    def _is_safe(self, k: int) -> bool:
        """Whether the mean over runs is known to settle at this rate."""
        return self.verdicts is not None and self.verdicts[k] == Verdict.SAFE.word

    @property
    def r2(self) -> Float[Array, "S K"] | None:
        """R² on held-out examples after the last epoch; None if it is not defined."""
        return None

    @property
    def score(self) -> tuple[str, Float[Array, "S K"]] | None:
        """The score that is shown beside the final loss, as its name and its values; None if there is none."""
        return None if self.r2 is None else ("R²", self.r2)

    @property
    def _criterion(self) -> tuple[str, Float[Array, "S K points"]]:
        """The name and the curves of the loss by which rates are compared."""
        if self.val_losses is not None:
            return "held-out loss", self.val_losses
        return "training loss", self.losses

    def _ends(self, point: int) -> tuple[str, Float[Array, "S K"]]:
        """What rates are compared by for a run that ends at a measurement, and what it is."""
        criterion, losses = self._criterion
        return criterion, losses[:, :, point]

    @cached_property
    def _suggestion(self) -> Suggestion:
        return self._suggestion_at(len(self.positions) - 1)

    def _suggestion_at(self, point: int) -> Suggestion:
        """The suggestion for a run that ends at this measurement."""
        criterion, final = self._ends(point)
        last = point == len(self.positions) - 1
        return suggest(
            self.lrs,
            final,
            self._criterion[1][:, :, 0],
            horizon=int(self.positions[point]),
            unit=self.unit,
            criterion=criterion,
            predicted=None if self.predicted is None else self.predicted[:, point],
            predicted_best=self.prediction.best if last else None,
            verdicts=self.verdicts,
        )

    def suggestion(self, horizon: int | None = None) -> Suggestion:
        """The recommended rate with its reason, horizon and interval; a reason even when there is none.

        Parameters
        ----------
        horizon : int, optional
            Length of the run that the rate is for, in epochs, or in steps if the sweep was given ``steps=`` or
            ``eval_every=``. By default the length of the sweep. For a longer run the best rate is mostly smaller: see
            `learnrate.sweeps.longer`.

        Raises
        ------
        OptionError
            If it is shorter than the sweep and no loss was measured there.
        """
        if horizon is None:
            return self._suggestion
        whole = isinstance(horizon, int | np.integer) and not isinstance(horizon, bool)
        if not whole or horizon < 1:
            raise OptionError(
                f"{option('horizon')} must be a whole number of {self.unit}s, 1 or more. Got {horizon!r} instead."
            )
        measured = np.flatnonzero(self.positions == horizon)
        if measured.size:
            return self._suggestion_at(int(measured[0]))
        if horizon < self.length:
            places = ", ".join(str(place) for place in self.positions[1:][-_FEW_PLACES:])
            raise OptionError(
                f"{option('horizon')} must be {self.length} {self.unit}s or more, or one of the last that were "
                f"measured ({places}). Got {horizon} instead."
            )
        return self._suggestion_beyond(int(horizon))

    def _suggestion_beyond(self, horizon: int) -> Suggestion:
        """The suggestion for a run that is longer than the sweep."""
        return suggest_longer(self._swept(self._criterion[1]), horizon)

    @property
    def title(self) -> str:
        """Heading of a report."""
        return "Loss under many learning rates"

    @property
    def fingerprint(self) -> str | None:
        """A hash of the examples, to see whether two results have the same ones; None if they are not known."""
        return None

    @property
    def call(self) -> str:
        """The Python call with these settings, without the defaults."""
        rates = [repr(float(lr)) for lr in self.lrs]
        if len(rates) > _FEW_RATES:
            rates = [*rates[:2], "…", rates[-1]]
        words = [self.source, f"lrs=[{', '.join(rates)}]"]
        for item in fields(self.config):
            if item.name in ("optimizer_options", "momentum", "weight_decay"):
                continue  # parts of the rule
            value = getattr(self.config, "rule" if item.name == "optimizer" else item.name)
            default = item.default if item.default_factory is MISSING else item.default_factory()
            if item.name == "optimizer":
                default = Optimizer()
            if value != default or item.name in ("batch_size", "epochs"):
                words.append(_in_code(item.name, value))
        return f"learnrate.sweep({', '.join(words)})"

    def data_facts(self) -> tuple[tuple[str, str], ...]:
        """Facts about the examples, as names and values."""
        return ()

    def remarks(self) -> tuple[str, ...]:
        """Sentences that say how the examples were changed."""
        return ()

    def curves(self) -> Curves:
        """The loss curves and all that is drawn with them."""
        chosen = self.suggestion().lr
        return Curves(
            lrs=self.lrs,
            losses=self.losses,
            outcomes=self.sentences,
            unit=self.unit,
            positions=self.positions,
            log_positions=self.horizon is not None and self.horizon.log_spaced,
            val_losses=self.val_losses,
            score=self.score,
            suggested=None if chosen is None else int(np.flatnonzero(self.lrs == chosen)[0]),
            verdicts=self.verdicts,
            predicted=self.predicted,
            limit=self.limit,
            typical_limit=self.typical_limit,
            floors=self.floors,
            pruned=self.pruned,
            outlook=self._outlook(),
        )

    def _outlook(self) -> Outlook | None:
        """The rate for a longer run, and the best rates so far; None where none is wanted or known."""
        longer = None if self.wanted is None else self.suggestion(self.wanted)
        if longer is None or longer.lr is None or longer.interval is None:
            return None
        low, high = map(format_rate, longer.interval)
        label = f"for {counted(longer.horizon, longer.unit)}: {format_rate(longer.lr)} ({low} to {high})"
        swept, shown = (self._swept(losses) for losses in (self._criterion[1], self.losses))
        return Outlook(longer.lr, *longer.interval, label, *on_the_way(swept, shown.losses))

    def _swept(self, losses: Float[Array, "S K points"]) -> Swept:
        """What was measured of the rates that were not ended early."""
        whole = slice(None) if self.pruned is None else self.pruned < 0
        return Swept(
            self.lrs[whole], losses[:, whole], self.positions, self.unit, self._criterion[0]
        )

    def to_frame(self) -> pl.DataFrame:
        """Tidy Polars frame, one row per lane and measurement.

        Columns ``lr``, ``seed``, ``epoch`` or ``step`` (0 is before training), ``loss``, ``val_loss`` if examples
        were held out, and ``outcome``.
        """
        import polars as pl

        S, K, points = self.losses.shape
        columns: dict[str, Any] = {
            "lr": np.tile(np.repeat(self.lrs, points), S),
            "seed": np.repeat(self.seeds, K * points),
            self.unit: np.tile(self.positions, S * K),
            "loss": self.losses.ravel(),
        }
        if self.val_losses is not None:
            columns["val_loss"] = self.val_losses.ravel()
        names = [outcome.name.lower() for seed in self.outcomes for outcome in seed]
        columns["outcome"] = np.repeat(names, points)
        return pl.DataFrame(columns)

    def as_dict(self) -> dict[str, Any]:
        """The whole result in types that JSON has; a loss that is not finite is null."""
        return {
            "learnrate": __version__,
            "config": self.config.as_dict(),
            "engine": {"name": self.engine, "reason": self.engine_reason},
            "suggestion": vars(self.suggestion()),
            **({} if self.wanted is None else {"longer": vars(self.suggestion(self.wanted))}),
            **({"steps": self.positions.tolist()} if self.unit == "step" else {}),
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
        """One rate, over all its seeds, in types that JSON has."""
        rate: dict[str, Any] = {"lr": float(self.lrs[k]), "outcome": self.sentences[k]}
        if self.verdicts is not None:
            rate["verdict"] = self.verdicts[k]
        if self.predicted is not None:
            rate["predicted_losses"] = finite_list(self.predicted[k])
        if self.floors is not None:
            rate["floor"] = finite_list([self.floors[k]])[0]
        return rate

    def _lane_as_dict(self, s: int, k: int) -> dict[str, Any]:
        """One lane in types that JSON has."""
        lane: dict[str, Any] = {
            "lr": float(self.lrs[k]),
            "seed": int(self.seeds[s]),
            "losses": finite_list(self.losses[s, k]),
            "outcome": self.outcomes[s][k].name.lower(),
            f"diverged_{self.unit}": diverged_at(self.losses[s, k], self.positions),
        }
        if self.val_losses is not None:
            lane["val_losses"] = finite_list(self.val_losses[s, k])
        if self.r2 is not None:
            lane["r2"] = finite_list([self.r2[s, k]])[0]
        return lane

    def __repr__(self) -> str:
        """The size of the sweep and the suggestion in one line."""
        S, K, _ = self.losses.shape
        lr = self.suggestion().lr
        return (
            f"<{type(self).__name__}: {K} learning rate{'s' * (K > 1)} × {S} seed{'s' * (S > 1)}, "
            f"{counted(self.length, self.unit)}, "
            f"engine {self.engine}, suggestion {'none' if lr is None else format_rate(lr)}>"
        )


def finite_list(values: Any) -> list[float | None]:
    """A list of floats for JSON, with None for those that are not finite."""
    return [float(v) if math.isfinite(v) else None for v in values]


def _in_code(name: str, value: Any) -> str:
    """A setting as an argument of a call in Python."""
    if name == "block_size":
        return f"memory=learnrate.OutOfCore(block_size={value})"
    if isinstance(value, Optimizer):
        value = value.name if value == Optimizer(value.name) else value
        return f"{name}={value!r}"
    if isinstance(value, Table):
        given = (f"{key}={option!r}" for key, option in value.given().items())
        return f"{name}=learnrate.Table({', '.join(given)})"
    if callable(value):
        return f"{name}=…"
    if isinstance(value, Schedule):
        return f"{name}=learnrate.{value!r}"
    plain = str(value) if isinstance(value, str) else value  # an enum by its value
    return f"{name}={plain!r}"
