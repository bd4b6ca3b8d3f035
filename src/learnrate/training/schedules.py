"""Learning-rate schedules: a multiplier ``s_t`` of every lane's rate at step ``t``, one table for all models.

A schedule is a linear warm-up over the first ``W`` steps, ``s_t = (t + 1) / W``, and then one of the table's shapes over
the ``T`` steps that follow, where ``t`` counts from 0 again.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.errors import OptionError, did_you_mean, option

__all__ = [
    "SCHEDULES",
    "Schedule",
    "ScheduleLike",
    "Shape",
    "decays",
    "schedule_multipliers",
    "warmed",
]

Steps = Float[Array, " steps"]


def _constant(t: Steps, T: int) -> Steps:
    """``s_t = 1``."""
    return np.ones_like(t)


def _step(t: Steps, T: int) -> Steps:
    """``s_t = 10^−k`` in the k-th third of the run, k = 0, 1, 2."""
    return 0.1 ** np.floor(3 * t / T)


def _inverse_time(t: Steps, T: int) -> Steps:
    """``s_t = 1 / (1 + 9 t / T)``: the 1/t law (Robbins and Monro, 1951), ending at a tenth."""
    return 1 / (1 + 9 * t / T)


def _linear(t: Steps, T: int) -> Steps:
    """``s_t = 1 − t / T``."""
    return 1 - t / T


def _cosine(t: Steps, T: int) -> Steps:
    """``s_t = ½(1 + cos(π t / T))``: SGDR (arXiv 1608.03983) without restarts."""
    return 0.5 * (1 + np.cos(np.pi * t / T))


def _root(t: Steps, T: int) -> Steps:
    """``s_t = 1 − √(t / T)`` (arXiv 2405.18392)."""
    return 1 - np.sqrt(t / T)


def _one_cycle(t: Steps, T: int) -> Steps:
    """From 1/25 up to 1 over 30 % of the run and down to 4·10⁻⁶, along cosines: ``OneCycleLR`` (arXiv 1708.07120)."""
    low, top = 1 / 25, 0.3 * T - 1
    rising = t <= top
    up = t / top if top > 0 else t
    share = np.where(rising, up, (t - top) / (T - 1 - top))
    begin, end = np.where(rising, low, 1.0), np.where(rising, 1.0, low / 1e4)
    shape: Steps = end + (begin - end) / 2 * (1 + np.cos(np.pi * share))
    return shape


@dataclass(frozen=True)
class Shape:
    """A row of the table.

    Attributes
    ----------
    values : callable
        ``s_t`` at steps ``t``, (T,), of a run of ``T`` steps.
    to_zero : bool
        Whether it goes down to 0, so that it can end above.
    cools : bool
        Whether it is 1 but for the last stretch, which has the shape.
    warms : bool
        Whether it warms up by itself.
    """

    values: Callable[[Steps, int], Steps]
    to_zero: bool = False
    cools: bool = False
    warms: bool = False


SCHEDULES: dict[str, Shape] = {
    "constant": Shape(_constant),
    "step": Shape(_step),
    "cosine": Shape(_cosine, to_zero=True),
    "inverse-time": Shape(_inverse_time),
    "linear": Shape(_linear, to_zero=True),
    "wsd": Shape(_linear, to_zero=True, cools=True),
    "1-sqrt": Shape(_root, to_zero=True, cools=True),
    "one-cycle": Shape(_one_cycle, warms=True),
}
"""``wsd`` is warm-up, stable, decay (arXiv 2404.06395); ``1-sqrt`` the same with another decay."""

_COOLDOWN = 0.2


@dataclass(frozen=True, repr=False)
class Schedule:
    """Warm-up and decay of the learning rate.

    Parameters
    ----------
    decay : str
        What follows the warm-up: ``"constant"``, ``"linear"``, ``"cosine"``, ``"wsd"`` (constant, then linear), ``"1-sqrt"``
        (constant, then 1 − √), ``"step"``, ``"inverse-time"``, ``"one-cycle"``.
    warmup : float or int
        Over how many steps the rate grows from ``1 / W`` of itself to the whole: a share of the run below 1, or a number
        of steps.
    final : float
        Where ``linear``, ``cosine``, ``wsd`` and ``1-sqrt`` end, as a share of the rate.
    cooldown : float, optional
        The share of the steps after the warm-up in which ``wsd`` and ``1-sqrt`` decay; 0.2 unless given.

    Examples
    --------
    >>> Schedule("linear", warmup=2).multipliers(6).tolist()
    [0.5, 1.0, 1.0, 0.75, 0.5, 0.25]
    """

    decay: str = "constant"
    warmup: float | int = 0
    final: float | int = 0.0
    cooldown: float | int | None = None

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        if self.decay not in SCHEDULES:
            raise OptionError(
                f"{option('schedule')} must be a known name or a function of the step. "
                f"Got {self.decay!r} instead." + did_you_mean(str(self.decay), SCHEDULES)
            )
        shape = SCHEDULES[self.decay]
        if not (_is_number(self.warmup) and self.warmup >= 0):
            raise OptionError(
                f"{option('warmup')} must be a share of the run below 1, or a number of steps. Got {self.warmup!r} instead."
            )
        if self.warmup > 1 and self.warmup != int(self.warmup):
            raise OptionError(
                f"{option('warmup')} must be a share of the run below 1, or a whole number of steps. "
                f"Got {self.warmup!r} instead."
            )
        if self.warmup and shape.warms:
            raise OptionError(
                f"{option('warmup')} must be left out with the schedule {self.decay!r}, which warms up by itself. Got both."
            )
        if not (_is_number(self.final) and 0 <= self.final <= 1):
            raise OptionError(f"final must lie between 0 and 1. Got {self.final!r} instead.")
        if self.final and not shape.to_zero:
            names = ", ".join(name for name, row in SCHEDULES.items() if row.to_zero)
            raise OptionError(
                f"final must be left out with the schedule {self.decay!r}. Got both; it is for {names}."
            )
        if self.cooldown is not None:
            if not shape.cools:
                names = ", ".join(name for name, row in SCHEDULES.items() if row.cools)
                raise OptionError(
                    f"cooldown must be left out with the schedule {self.decay!r}. Got both; it is for {names}."
                )
            if not (_is_number(self.cooldown) and 0 < self.cooldown <= 1):
                raise OptionError(
                    f"cooldown must be above 0 and at most 1. Got {self.cooldown!r} instead."
                )

    def multipliers(self, steps: int) -> Steps:
        """``s_t`` for ``t = 0, …, steps − 1``.

        Raises
        ------
        OptionError
            If the warm-up is longer than the run.
        """
        W = int(self.warmup) if self.warmup >= 1 else math.ceil(self.warmup * steps)
        if steps < W:
            raise OptionError(
                f"{option('warmup')} must not be longer than the run, {steps} steps. Got {W} instead."
            )
        T, shape = steps - W, SCHEDULES[self.decay]
        begin = 0
        if shape.cools:
            begin = T - max(1, round(T * (_COOLDOWN if self.cooldown is None else self.cooldown)))
        s = np.ones(steps)
        s[:W] = (np.arange(W) + 1) / max(W, 1)
        if T > 0:
            begin = max(begin, 0)
            t = np.arange(T - begin, dtype=np.float64)
            decayed = shape.values(t, T - begin)
            s[W + begin :] = self.final + (1 - self.final) * decayed if self.final else decayed
        return s

    def __repr__(self) -> str:
        """The call that makes this schedule, without arguments that have their default."""
        decay = [repr(self.decay)] if self.decay != "constant" else []
        return f"Schedule({', '.join([*decay, *self._given()])})"

    def __str__(self) -> str:
        """For display: ``cosine, warmup=0.05``."""
        return ", ".join([self.decay, *self._given()])

    def _given(self) -> list[str]:
        """What is not as by default, besides the decay."""
        pairs = [(item.name, getattr(self, item.name), item.default) for item in fields(self)[1:]]
        return [f"{name}={value!r}" for name, value, default in pairs if value != default]


ScheduleLike = str | Schedule | Callable[[int], float]
"""A name in `SCHEDULES`, a `Schedule`, or a function of the step ``t = 0, 1, …`` that returns ``s_t ≥ 0``."""


def schedule_multipliers(schedule: ScheduleLike, steps: int) -> Steps | None:
    """``s_t`` for ``t = 0, …, steps − 1``; None where the rate is constant.

    Raises
    ------
    OptionError
        For an unknown name, or a function that returns no number, or a negative or non-finite multiplier.
    """
    if isinstance(schedule, str):
        schedule = Schedule(schedule)
    if isinstance(schedule, Schedule):
        return None if schedule == Schedule() else schedule.multipliers(steps)
    values = np.array([_multiplier(schedule, t) for t in range(steps)])
    bad = np.flatnonzero(~(np.isfinite(values) & (values >= 0)))
    if bad.size:
        raise OptionError(
            f"{option('schedule')} must return a finite multiplier ≥ 0 at every step. "
            f"Got {values[bad[0]]} at step {bad[0]}; mend the function there."
        )
    return values


def decays(schedule: ScheduleLike) -> bool:
    """Whether the rate falls towards the end of the run; False for a function, of which that is not known."""
    decay = schedule.decay if isinstance(schedule, Schedule) else schedule
    return decay in SCHEDULES and decay != "constant"


def warmed(multipliers: Steps | None) -> float:
    """The share of the run before the first step whose rate is at least half of the largest; 0 without a warm-up.

    Parameters
    ----------
    multipliers : array, shape (steps,), or None
        ``s_t`` of the schedule, as `schedule_multipliers` returns it.
    """
    if multipliers is None or not len(multipliers):
        return 0.0
    return int(np.argmax(multipliers >= 0.5 * multipliers.max())) / len(multipliers)


def _multiplier(schedule: Callable[[int], float], t: int) -> float:
    try:
        value = schedule(t)
        return float(value)
    except (TypeError, ValueError) as error:
        raise OptionError(
            f"{option('schedule')} must be a function of the step that returns a number. Got at step {t}: {error}."
        ) from error


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
