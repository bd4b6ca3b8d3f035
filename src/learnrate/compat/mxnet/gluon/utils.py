"""Splitting a minibatch over devices: there is one, the CPU."""

from __future__ import annotations

from typing import Any

from learnrate import nd
from learnrate._missing import missing
from learnrate.errors import OptionError
from learnrate.nd import NDArray
from learnrate.nd.context import check_context

__all__ = ["split_and_load"]


def split_and_load(data: Any, ctx_list: Any, batch_axis: int = 0) -> list[NDArray]:
    """Return the minibatch as an NDArray, in a list of one element for the only device."""
    del batch_axis
    if len(ctx_list) != 1:
        raise OptionError(
            f"ctx_list must be [cpu()], where learnrate computes. Got {ctx_list!r} instead."
        )
    check_context(ctx_list[0])
    return [data if isinstance(data, NDArray) else nd.array(data)]


__getattr__ = missing("gluon.utils", __all__)
