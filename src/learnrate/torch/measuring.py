"""How many examples are measured at once: a minibatch, unless larger blocks give the same numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from learnrate._shapes import Array
from learnrate.errors import OptionError
from learnrate.torch.copying import copy_of
from learnrate.torch.examples import Examples
from learnrate.torch.probe import Probe
from learnrate.torch.whole import Whole

__all__ = ["check_start", "means_alike", "means_over_examples", "measures_of"]

_ALIKE = {torch.float64: 1e-9, torch.float32: 1e-5}
_SUM = 0.2
"""A loss that is nearer than this to the sum of two minibatches' is one; random draws make it inexact."""


def means_over_examples(
    whole: Whole, examples: Examples, size: int, found: Probe, renew: Callable[[], object]
) -> bool:
    """Whether a minibatch's measures are means over its examples, whatever else is in the minibatch.

    Two minibatches are measured, alone and as one, in evaluation mode.

    Raises
    ------
    OptionError
        For a loss that adds up over examples.
    """
    both = min(2 * size, len(examples))
    first = both - both // 2
    if first == both:
        return True
    whole = copy_of(whole).eval()
    numbers = torch.arange(both)

    def measured(which: Tensor) -> Tensor:
        renew()
        return measures_of(whole, examples.batch(which), found.evaluated_with_gradients)

    together, one, other = (measured(n) for n in (numbers, numbers[:first], numbers[first:]))
    mean = (first * one + (both - first) * other) / both
    alike = means_alike(together, mean, next(whole.parameters()).dtype)
    sums = one[0] + other[0]
    if not alike and bool((together[0] - sums).abs() <= _SUM * sums.abs()):
        raise OptionError(
            "loss must average over the minibatch. Got one that adds up over examples instead: two minibatches have "
            "the sum of their losses; divide by their number."
        )
    return alike


def measures_of(whole: Whole, batch: Any, with_gradients: bool) -> Tensor:
    """Each measure of a minibatch, (M,), in float64."""
    with torch.set_grad_enabled(with_gradients):
        values = whole.run(batch, measuring=True)
    return torch.stack([value.detach() for value in values]).to("cpu", torch.float64)


def means_alike(found: Tensor, expected: Tensor, dtype: torch.dtype) -> bool:
    """Whether measures are the same but for rounding; nan is like nan."""
    off = (found - expected).abs() <= _ALIKE.get(dtype, 1e-5) * expected.abs() + 1e-30
    return bool((off | (found.isnan() & expected.isnan()) | (found == expected)).all())


def check_start(measured: Mapping[str, Array]) -> None:
    """Refuse what no rate can mend: all lanes of a seed start from the same loss."""
    for name, of in (("loss", "data"), ("val_loss", "val_data")):
        if name in measured and not np.isfinite(measured[name]).all():
            raise OptionError(
                f"The loss over {of} must be finite before training. Got {measured[name][0]} instead; look "
                "for numbers that are not finite in the data, and for what the loss takes the logarithm of or "
                "divides by."
            )
