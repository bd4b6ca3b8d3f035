"""Grids of learning rates, from Python values or from the option ``--lrs``."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.errors import OptionError, option
from learnrate.theory import Theory
from learnrate.theory.quantity import rounded_down

__all__ = [
    "LIMIT",
    "arange",
    "auto_rates",
    "check_rates",
    "logspace",
    "parse_rates",
    "rates_by_curvature",
    "rates_by_local_limit",
    "rates_of_optimizer",
]

LIMIT = 1_000_000
"""The largest number of rates in a grid; more are assumed to be a mistake."""

_AUTO = 9  # rates below the limit in a grid for squared loss
_WIDE = 13  # rates of the other grids, which are wider
_BEYOND = 1.1  # the largest rate as a multiple of the limits
_FORMS = "Write 0.01,0.02 or 0.01:0.05:0.01 or log:1e-4:1:25 or auto."


def check_rates(lrs: float | Iterable[float]) -> Float[Array, " K"]:
    """Learning rates as a float64 array: finite, positive, without repetitions, in the given order.

    Raises
    ------
    OptionError
        If there are none, more than a million, or some that are not finite positive numbers.
    """
    try:
        values = list(lrs) if isinstance(lrs, Iterator) else lrs
        rates = np.atleast_1d(np.asarray(values, dtype=np.float64))
    except (TypeError, ValueError, OverflowError):
        raise OptionError(
            f"{option('lrs')} must be positive numbers. Got {lrs!r} instead. {_FORMS}"
        ) from None
    if rates.ndim != 1:
        raise OptionError(
            f"{option('lrs')} must be a list of numbers. Got an array of shape {rates.shape} instead; ravel it."
        )
    if rates.size == 0:
        raise OptionError(
            f"{option('lrs')} must hold at least one learning rate. Got an empty grid instead."
        )
    _check_count(rates.size)
    bad = rates[~(np.isfinite(rates) & (rates > 0))]
    if bad.size:
        raise OptionError(
            f"Every learning rate must be a finite number above 0. Got {bad[0]:g} instead; remove it."
        )
    if (rates[1:] > rates[:-1]).all():
        return rates.copy()
    return np.array(list(dict.fromkeys(rates.tolist())))


def logspace(min_lr: float, max_lr: float, num: int) -> Float[Array, " num"]:
    """``num`` learning rates from ``min_lr`` to ``max_lr``, both included, equal in ratio.

    ``η_k = min_lr · (max_lr / min_lr)^(k / (num − 1))``
    """
    if not (math.isfinite(min_lr) and math.isfinite(max_lr) and 0 < min_lr <= max_lr):
        raise OptionError(
            "A log grid must run from a positive rate up to a larger one. "
            f"Got {min_lr:g} to {max_lr:g} instead; swap or change them."
        )
    if num < 1:
        raise OptionError(f"A grid must hold at least 1 rate. Got {num} instead.")
    _check_count(num)
    return np.geomspace(min_lr, max_lr, num)


def arange(start: float | str, stop: float | str, step: float | str) -> Float[Array, " num"]:
    """Rates ``start, start + step, …`` below ``stop``, computed in decimal arithmetic.

    Like ``numpy.arange``, but without rounding errors: ``arange(0.01, 0.05, 0.01)`` gives exactly the four floats
    0.01, 0.02, 0.03, 0.04, and never the stop.
    """
    try:
        first, end, width = (Decimal(str(value)) for value in (start, stop, step))
    except InvalidOperation:
        raise OptionError(
            f"A grid start:stop:step must be made of numbers. Got {start}:{stop}:{step} instead."
        ) from None
    if not all(value.is_finite() for value in (first, end, width)) or width <= 0:
        raise OptionError(
            "A grid start:stop:step must be finite with a step above 0. "
            f"Got {start}:{stop}:{step} instead."
        )
    count = max(0, math.ceil((end - first) / width))
    if count == 0:
        raise OptionError(
            f"The grid {start}:{stop}:{step} must hold at least one rate. Got an empty grid instead; "
            "the stop is excluded, so put it above the start."
        )
    _check_count(count)
    return np.array([float(first + k * width) for k in range(count)])


def parse_rates(text: str) -> Float[Array, " K"] | None:
    """Read ``--lrs``: a list, ``start:stop:step``, ``log:min:max:num``, or ``auto`` (None).

    Raises
    ------
    OptionError
        If the text has none of these forms.
    """
    text = text.strip()
    if text.casefold() == "auto":
        return None
    parts = [part.strip() for part in text.split(":")]
    try:
        if parts[0].casefold() == "log" and len(parts) == 4:
            return check_rates(logspace(float(parts[1]), float(parts[2]), int(parts[3])))
        if len(parts) == 3:
            return check_rates(arange(*parts))
        if len(parts) == 1:
            return check_rates([float(item) for item in text.split(",") if item.strip()])
    except ValueError as error:
        if isinstance(error, OptionError):
            raise
    raise OptionError(
        f"{option('lrs')} must be a grid of learning rates. Got {text!r} instead. {_FORMS}"
    )


def auto_rates(theory: Theory, epochs: int) -> Float[Array, " num"]:
    """The grid for ``auto`` with squared loss: slow, best, borderline and diverging rates in one picture.

    Equal ratios from a thousandth to nine tenths of the mean-square limit, the rate with the smallest expected loss
    after ``epochs``, one rate between that limit and that of a typical run, and one just above both.
    """
    typical = theory.typical_limit.value
    limit = theory.limit.value or typical or theory.full_batch_limit.value
    if limit is None:
        return logspace(1e-4, 1.0, _AUTO)
    edge = max(limit, typical or limit)
    rates = [*np.geomspace(1e-3 * limit, 0.9 * limit, _AUTO), _BEYOND * edge]
    if edge > 1.02 * limit:
        rates.append(math.sqrt(limit * edge))
    best = theory.best_rate(epochs).value
    if best is not None:
        rates.append(best)
    # Rounded, so that the printed rates are exactly those that were trained.
    return np.unique([_three_digits(rate, limit, edge) for rate in rates])


def _three_digits(rate: float, *limits: float) -> float:
    """Round to three digits, downwards if the result would be above a limit that the rate is not above."""
    rounded = float(f"{rate:.3g}")
    beyond = any(rate <= limit < rounded for limit in limits)
    return float(rounded_down(rate, 3)) if beyond else rounded


def rates_by_local_limit(limit: float) -> Float[Array, " num"]:
    """The grid for ``auto`` if the limit at the optimum is known.

    Equal ratios from a three-thousandth to nine tenths of that limit, and one rate above it.
    """
    return _unique(np.append(np.geomspace(limit / 3000, 0.9 * limit, _WIDE - 1), 1.5 * limit))


def rates_by_curvature(safe: float) -> Float[Array, " num"]:
    """The grid for ``auto`` if only a safe rate is known: from a thousandth of it to ten times it.

    If the derivative of the loss is bounded, the best rate is often above the one that is safe for every start.
    """
    return _unique(np.geomspace(1e-3 * safe, 10 * safe, _WIDE))


def rates_of_optimizer(grid: tuple[float, float], scale: float) -> Float[Array, " num"]:
    """The grid for ``auto`` of an optimizer whose step does not depend on the size of the gradient.

    It changes every parameter by about η per step, so the rates are multiplied by ``scale``, the size of the labels.
    """
    return _unique(np.geomspace(grid[0] * scale, grid[1] * scale, _WIDE))


def _unique(rates: Float[Array, " num"]) -> Float[Array, " num"]:
    return np.unique([_three_digits(rate) for rate in rates.tolist()])


def _check_count(count: int) -> None:
    if count > LIMIT:
        raise OptionError(
            f"A grid must hold at most {LIMIT:,} rates. Got {count:,} instead; widen the step."
        )
