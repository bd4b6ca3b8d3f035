"""``learnrate.explain``: the explanation of one training step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from learnrate.book.steps.explanation import Explanation
from learnrate.book.steps.one_step import explain_step
from learnrate.data.options import Table
from learnrate.errors import OptionError, option
from learnrate.sweeps.config import SweepConfig
from learnrate.sweeps.examples import examples
from learnrate.sweeps.losses import chosen_loss, target_kind

__all__ = ["explain"]

_DEFAULT_BATCH_SIZE = 3
_OPENED = ("squared", "logistic", "softmax")
_MOST_STEPS, _MOST_ROWS = 100_000, 100_000_000
"""No more steps, and no more examples in them, are trained up to the one that is explained: some seconds of work."""


def explain(
    data: Any,
    y: Any = None,
    *,
    target: str | None = None,
    features: Sequence[str] | None = None,
    lr: float = 0.03,
    batch_size: int | None = None,
    seed: int = 0,
    step: int = 1,
    missing: str = "error",
    standardize: bool | None = None,
    table: Table | None = None,
    loss: str | None = None,
) -> Explanation:
    """Explain one step of minibatch SGD: what ``attach_grad()`` and ``backward()`` do, number by number.

    The step is ``w ← w − η/|B| · Σ_{i∈J} x_i (x_i·w + b − y_i)``, and likewise for b, with the same numbers as in
    `learnrate.sweep` for the same examples, seed, batch size and rate. If the target is a class, it is a step of logistic
    regression, or of softmax regression for more than two classes.

    Parameters
    ----------
    data, y, target, features, missing, standardize, table
        The examples, as for `learnrate.sweep`.
    lr : float
        Learning rate η.
    batch_size : int, optional
        Nominal ``|B|``; by default 3, so that every number can be shown, or n if there are fewer examples.
    seed : int
        Decides the initial parameters and the order of the examples.
    step : int
        The number of the step to explain, from 1.
    loss : str, optional
        ``squared``, ``logistic`` or ``softmax``; by default the one for the target, as in `learnrate.sweep`.

    Returns
    -------
    Explanation
        All numbers as arrays; ``print`` it, or ``save`` it as html, svg, mmd or json.

    Raises
    ------
    DataError, OptionError
        If the examples or an option are not valid; the message says what to do.

    Source: *Dive into Deep Learning* (《动手学深度学习》), sections 2.3 and 3.2.

    Examples
    --------
    >>> from learnrate.book.steps import explain
    >>> step = explain("note", lr=0.03, batch_size=3)
    >>> [node.name for node in step.visited]
    ['loss', 'r²', 'r', 'ŷ', 'Xw', 'b', 'w']
    >>> step.check.disagreement < 1e-9
    True
    """
    # Options are checked before any data is read.
    rate = _as_rate(lr)
    size = _DEFAULT_BATCH_SIZE if batch_size is None else batch_size
    config = SweepConfig(batch_size=size, seed=seed)
    _check_step(step, config.batch_size)
    if loss is not None and loss not in _OPENED:
        raise OptionError(
            f"{option('loss')} must be one of {', '.join(_OPENED)} to be opened step by step. Got {loss!r} instead."
        )
    prepared = examples(
        data,
        y,
        target=target,
        features=features,
        missing=missing,
        standardize=standardize,
        table=table,
        seed=config.seed,
        target_kind=target_kind(loss),
    )
    n = len(prepared.y_train)
    if batch_size is None and n < config.batch_size:
        config = replace(config, batch_size=n)
    config.check_against(n)
    phi = chosen_loss(loss, prepared)
    return explain_step(prepared, phi, lr=rate, config=config, step=int(step))


def _as_rate(lr: Any) -> float:
    try:
        rate = float(lr)
    except (TypeError, ValueError):
        rate = math.nan
    if not (math.isfinite(rate) and rate > 0):
        raise OptionError(f"{option('lr')} must be a finite number above 0. Got {lr!r} instead.")
    return rate


def _check_step(step: int, batch_size: int) -> None:
    if not hasattr(step, "__index__") or isinstance(step, bool) or step < 1:
        raise OptionError(
            f"{option('step')} must be a whole number, 1 or more. Got {step!r} instead; the first step is 1."
        )
    most = max(1, min(_MOST_STEPS, _MOST_ROWS // batch_size))
    if step > most:
        raise OptionError(
            f"{option('step')} must be at most {most:,} at batch size {batch_size:,}: the steps before it are trained "
            f"one by one, as in the book. Got {int(step):,} instead; learnrate sweep trains that far quickly."
        )
