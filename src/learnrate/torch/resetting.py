"""New parameters for a model, drawn as its parts draw them when they are built."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from learnrate.errors import OptionError

__all__ = ["reset"]

_ENOUGH = 16
"""Numbers from which a spread can be told."""
_FACTOR = 2.0
"""Spreads of the same distribution differ by less than this factor, for so many numbers."""


def reset(module: nn.Module) -> None:
    """Draw the trained parameters anew by each part's ``reset_parameters``; frozen ones stay.

    Raises
    ------
    OptionError
        If a part has none, or the model had its parameters from elsewhere: initialised by itself, or trained.
    """
    before = {name: p.detach().clone() for name, p in module.named_parameters()}
    trained = {name for name, p in module.named_parameters() if p.requires_grad}
    for name, part in reversed(
        list(module.named_modules())
    ):  # a whole part has the last word on its parts
        draw: Any = getattr(part, "reset_parameters", getattr(part, "_reset_parameters", None))
        if callable(draw):
            if any(p.requires_grad for p in part.parameters()):
                draw()
        elif any(p.requires_grad for p in part.parameters(recurse=False)):
            raise OptionError(
                "For start='reset' every submodule with parameters must have reset_parameters(). "
                f"Got none in {name or type(part).__name__!r} instead; give a callable that returns a new model."
            )
    for name, p in module.named_parameters():
        if name not in trained:
            p.data.copy_(before[name])
        elif not _alike(before[name], p.detach()):
            raise OptionError(
                "For start='reset' parameters must be as reset_parameters() draws them. Got "
                f"{name!r}, which the model has initialised by itself or which is trained already; give a callable "
                "that returns a new model."
            )


def _alike(given: Tensor, drawn: Tensor) -> bool:
    """Whether numbers can come from the distribution of others, by their spread."""
    if drawn.numel() < 2:
        return True
    if any(torch.equal(t, t.flatten()[:1].expand_as(t)) for t in (given, drawn)):  # one number
        return torch.equal(given, drawn)
    ratio = float(given.std() / drawn.std())
    return drawn.numel() < _ENOUGH or 1 / _FACTOR < ratio < _FACTOR
