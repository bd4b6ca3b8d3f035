"""Lanes as plain arrays, the same however they are trained: what training continues from.

A trained parameter is the array ``parameter NAME``, a fixed one that the model itself has changed ``fixed NAME``, a
buffer ``buffer NAME``, an average of a parameter ``average NAME``, and each part of the optimizer state ``SLOT NAME``, such as ``velocity model.0.weight``, beside
``step NAME``, the steps that the parameter has taken; each has one row for each lane. Between two measurements
``ahead steps``, ``ahead losses`` and ``ahead random`` say how far each lane is (`learnrate.torch.pieces`).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from learnrate._shapes import Array
from learnrate.torch.layout import Layout
from learnrate.torch.whole import MODEL

__all__ = [
    "AHEAD",
    "AVERAGES",
    "BUFFERS",
    "FIXED",
    "LEARNED",
    "PARAMETERS",
    "STEPS",
    "copied",
    "joined",
    "kinds_of",
    "lane_tensors",
    "taken_apart",
]

PARAMETERS, FIXED, BUFFERS, STEPS = "parameter", "fixed", "buffer", "step"
AVERAGES = "average"
AHEAD = "ahead"
LEARNED = (PARAMETERS, FIXED, BUFFERS, AVERAGES)
"""The kinds that make a model."""


def taken_apart(layout: Layout, kind: str, rows: Tensor) -> dict[str, Array]:
    """Rows (K, P) of all parameters as an array for each."""
    pieces = torch.split(rows.cpu(), layout.sizes, dim=1)
    return {
        f"{kind} {name}": copied(piece.reshape(len(rows), *shape))
        for name, shape, piece in zip(layout.names, layout.shapes, pieces, strict=True)
    }


def joined(layout: Layout, pieces: Mapping[str, Array], like: Tensor) -> Tensor:
    """Arrays of all parameters as rows (K, P), of another tensor's type and place."""
    flat = [pieces[name].reshape(len(pieces[name]), -1) for name in layout.names]
    return torch.from_numpy(np.concatenate(flat, axis=1)).to(like)


def kinds_of(arrays: Mapping[str, Array]) -> dict[str, dict[str, Array]]:
    """The arrays by kind, then by name."""
    kinds: dict[str, dict[str, Array]] = {}
    for name, array in arrays.items():
        kind, _, of = name.partition(" ")
        kinds.setdefault(kind, {})[of] = array
    return kinds


def lane_tensors(
    arrays: Mapping[str, Array], k: int, within: str = MODEL, *, averaged: bool = True
) -> dict[str, Tensor]:
    """Parameters, or their averages where there are some, and buffers of one lane, by their names in the model."""
    kinds, found = kinds_of(arrays), {}
    for kind in (PARAMETERS, FIXED, BUFFERS, *((AVERAGES,) if averaged else ())):
        for name, array in kinds.get(kind, {}).items():
            if name.startswith(within):
                found[name.removeprefix(within)] = torch.from_numpy(np.array(array[k]))
    return found


def copied(tensor: Tensor) -> Array:
    """A copy of a tensor as an array."""
    array: Array = tensor.detach().cpu().numpy().copy()
    return array
