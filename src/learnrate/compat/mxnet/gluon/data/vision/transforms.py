"""Transforms of images, as layers: ``ToTensor()(image)``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from learnrate import nd
from learnrate._missing import missing
from learnrate.compat.mxnet.gluon.block import Block
from learnrate.compat.mxnet.gluon.nn import Sequential
from learnrate.errors import InputError
from learnrate.nd import NDArray

__all__ = ["Compose", "ToTensor"]


class ToTensor(Block):
    """Converts bytes 0, …, 255 of shape (height, width, channels) to float32 in [0, 1], shape (channels, height, width).

    Images of shape (n, height, width, channels) can be given too.
    """

    takes_batches = True

    def forward(self, *inputs: Any) -> NDArray:
        """Convert one image, or a minibatch of images.

        Raises
        ------
        InputError
            If the array has neither 3 axes nor 4.
        """
        x: NDArray
        (x,) = inputs
        if x.ndim not in (3, 4):
            raise InputError(
                f"ToTensor must be given pictures of shape (height, width, channels). Got {x.shape} instead."
            )
        return nd.transpose(x.astype("float32") / 255, (2, 0, 1) if x.ndim == 3 else (0, 3, 1, 2))


class Compose(Sequential):
    """Applies several transforms, one after the other."""

    def __init__(self, transforms: Sequence[Block]) -> None:
        super().__init__()
        self.add(*transforms)
        self.takes_batches = all(getattr(one, "takes_batches", False) for one in transforms)


__getattr__ = missing("gluon.data.vision.transforms", __all__)
