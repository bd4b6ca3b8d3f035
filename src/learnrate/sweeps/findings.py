"""What a sweep found, whatever was trained: curves, and what follows from them."""

from __future__ import annotations

import math
from dataclasses import MISSING, dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.data.options import Table
from learnrate.errors import OptionError, option
from learnrate.report.curves import Curves, counted, format_rate
from learnrate.sweeps.longer import Swept, suggest_longer
from learnrate.sweeps.measured import Measured
from learnrate.sweeps.outcomes import Outcome, describe_rate, diverged_at, judge
from learnrate.sweeps.prediction import Prediction
from learnrate.sweeps.suggestion import Suggestion, suggest
from learnrate.theory.verdict import Verdict
from learnrate.training.schedules import Schedule
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
                    curve, self._floor_of(k), start, self._least, self._is_safe(k), self.positions
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
            unit=self.unit,
        )

    @property
    def _least(self) -> float:
        """The loss at the optimum, for a loss that is far above 0 there; else 0."""
        return 0.0

    @property
    def bounded(self) -> bool:
        """Whether the gradient of the loss is bounded in the model's output, so that runs swing and do not explode."""
        return False

    @property
    def prediction(self) -> Prediction:
        """What was said before training. Of models other than the linear one that is nothing."""
        why_not = "limits are worked out for the linear model alone"
        return Prediction(self.lrs, self.epochs, why_not=why_not)

    @property
    def limit(self) -> float | None:
        """The largest rate at which the mean over runs converges, predicted; None if not known."""
        return self.prediction.limit

    @property
    def typical_limit(self) -> float | None:
        """The largest rate at which a typical run converges, predicted; None if not known."""
        return self.prediction.typical_limit

    @property
    def predicted(self) -> Float[Array, "K epochs"] | None:
        """Expected loss of each rate before training and after each epoch; None if not known."""
        return self.prediction.curve

    @property
    def floors(self) -> Float[Array, " K"] | None:
        """The loss that SGD noise keeps each rate from going below, predicted; None if not known."""
        return self.prediction.floors

    @property
    def verdicts(self) -> tuple[str, ...] | None:
        """For each rate safe, borderline or diverges, said before training; None if not known."""
        return self.prediction.verdicts

    def verdict_sentences(self) -> tuple[str, ...]:
        """The limits, and what was to be expected of the rates that are not safe; empty if not known."""
        return self.prediction.sentences

    def _floor_of(self, k: int) -> float | None:
        """Where a rate settles; infinite where it settles nowhere, None if that is not known."""
        if self.floors is None or math.isnan(self.floors[k]):
            return None
        return float(self.floors[k])

    def _is_safe(self, k: int) -> bool:
        """Whether the mean over runs is known to settle at a rate."""
        return self.verdicts is not None and self.verdicts[k] == Verdict.SAFE.word

    @property
    def r2(self) -> Float[Array, "S K"] | None:
        """R² on held-out examples after the last epoch; None where there is none to tell."""
        return None

    @property
    def score(self) -> tuple[str, Float[Array, "S K"]] | None:
        """What stands beside the final loss: its name and values; None where there is nothing."""
        return None if self.r2 is None else ("R²", self.r2)

    @property
    def _criterion(self) -> tuple[str, Float[Array, "S K points"]]:
        """The losses that rates are compared by, and what they are."""
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
        """For a run that ends at one of the measurements."""
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
            The length of the run that the rate is for, in epochs (in steps where the sweep went by ``steps=`` or
            ``eval_every=``); that of the sweep unless given. A longer run wants another rate, mostly a smaller one:
            see `learnrate.sweeps.longer`.

        Raises
        ------
        OptionError
            If it is shorter than the sweep and nothing was measured there.
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
        """For a run that is longer than the sweep."""
        criterion, losses = self._criterion
        whole = slice(None) if self.pruned is None else self.pruned < 0
        sweep = Swept(self.lrs[whole], losses[:, whole], self.positions, self.unit, criterion)
        return suggest_longer(sweep, horizon)

    @property
    def title(self) -> str:
        """Heading of a report."""
        return "Loss under many learning rates"

    @property
    def fingerprint(self) -> str | None:
        """Tells whether two results rest on the same examples; None where they are not known."""
        return None

    @property
    def call(self) -> str:
        """The call in Python that these settings come from, without the defaults."""
        rates = [repr(float(lr)) for lr in self.lrs]
        if len(rates) > _FEW_RATES:
            rates = [*rates[:2], "…", rates[-1]]
        words = [self.source, f"lrs=[{', '.join(rates)}]"]
        for item in fields(self.config):
            value = getattr(self.config, item.name)
            default = item.default if item.default_factory is MISSING else item.default_factory()
            if value != default or item.name in ("batch_size", "epochs"):
                words.append(_in_code(item.name, value))
        return f"learnrate.sweep({', '.join(words)})"

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
            lines=self._longer_line(),
        )

    def _longer_line(self) -> tuple[tuple[float, str], ...]:
        """The rate for a longer run, and its label; empty where none is wanted or known."""
        longer = None if self.wanted is None else self.suggestion(self.wanted)
        if longer is None or longer.lr is None or longer.interval is None:
            return ()
        low, high = map(format_rate, longer.interval)
        label = f"for {counted(longer.horizon, longer.unit)}: {format_rate(longer.lr)} ({low} to {high})"
        return ((longer.lr, label),)

    def to_frame(self) -> pl.DataFrame:
        """Tidy Polars frame, one row per lane and measurement.

        Columns ``lr``, ``seed``, ``epoch`` or ``step`` (0 is before training), ``loss``, ``val_loss`` where examples
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
        """Everything as JSON can hold it; a loss that is not finite is null."""
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
            f"diverged_{self.unit}": diverged_at(self.losses[s, k], self.positions),
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
            f"{counted(self.length, self.unit)}, "
            f"engine {self.engine}, suggestion {'none' if lr is None else format_rate(lr)}>"
        )


def finite_list(values: Any) -> list[float | None]:
    """Floats as JSON can hold them: null for one that is not finite."""
    return [float(v) if math.isfinite(v) else None for v in values]


def _in_code(name: str, value: Any) -> str:
    """A setting as an argument of a call in Python."""
    if name == "block_size":
        return f"memory=learnrate.OutOfCore(block_size={value})"
    if isinstance(value, Table):
        given = (f"{key}={option!r}" for key, option in value.given().items())
        return f"{name}=learnrate.Table({', '.join(given)})"
    if callable(value):
        return f"{name}=…"
    if isinstance(value, Schedule):
        return f"{name}=learnrate.{value!r}"
    plain = str(value) if isinstance(value, str) else value  # an enum by its word
    return f"{name}={plain!r}"
