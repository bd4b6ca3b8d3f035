"""Learning-rate schedules: a multiplier ``s_t`` of every lane's rate at step ``t``."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.errors import OptionError, did_you_mean

__all__ = ["SCHEDULES", "Schedule", "schedule_multipliers"]

Schedule = str | Callable[[int], float]
"""A name in `SCHEDULES`, or a function of the step ``t = 0, 1, …`` that returns ``s_t ≥ 0``."""


def _constant(t: Float[Array, " steps"]) -> Float[Array, " steps"]:
    """``s_t = 1``."""
    return np.ones_like(t)


def _step(t: Float[Array, " steps"]) -> Float[Array, " steps"]:
    """``s_t = 10^−k`` in the k-th third of the run, k = 0, 1, 2."""
    return 0.1 ** np.floor(3 * t / max(t.size, 1))


def _cosine(t: Float[Array, " steps"]) -> Float[Array, " steps"]:
    """``s_t = ½(1 + cos(π t / T))``: SGDR (arXiv 1608.03983) without restarts."""
    return 0.5 * (1 + np.cos(np.pi * t / max(t.size, 1)))


def _inverse_time(t: Float[Array, " steps"]) -> Float[Array, " steps"]:
    """``s_t = 1 / (1 + 9 t / T)``: the 1/t law (Robbins and Monro, 1951), ending at a tenth."""
    return 1 / (1 + 9 * t / max(t.size, 1))


SCHEDULES: dict[str, Callable[[Float[Array, " steps"]], Float[Array, " steps"]]] = {
    "constant": _constant,
    "step": _step,
    "cosine": _cosine,
    "inverse-time": _inverse_time,
}


def schedule_multipliers(schedule: Schedule, steps: int) -> Float[Array, " steps"] | None:
    """``s_t`` for ``t = 0, …, steps − 1``; None where the rate is constant.

    Raises
    ------
    OptionError
        For an unknown name, or a function that returns no number, or a negative or non-finite multiplier.
    """
    if schedule == "constant":
        return None
    if isinstance(schedule, str):
        if schedule not in SCHEDULES:
            raise OptionError(
                "schedule must be a known name or a function of the step. "
                f"Got {schedule!r} instead." + did_you_mean(schedule, SCHEDULES)
            )
        return SCHEDULES[schedule](np.arange(steps, dtype=np.float64))
    values = np.array([_multiplier(schedule, t) for t in range(steps)])
    bad = np.flatnonzero(~(np.isfinite(values) & (values >= 0)))
    if bad.size:
        raise OptionError(
            f"schedule must return a finite multiplier ≥ 0 at every step. "
            f"Got {values[bad[0]]} at step {bad[0]}; mend the function there."
        )
    return values


def _multiplier(schedule: Callable[[int], float], t: int) -> float:
    try:
        value = schedule(t)
        return float(value)
    except (TypeError, ValueError) as error:
        raise OptionError(
            f"schedule must be a function of the step that returns a number. Got at step {t}: {error}."
        ) from error
