"""Data sets of images, from local files; without files, synthetic ones of the same shapes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from learnrate import nd
from learnrate._missing import missing
from learnrate.compat import datasets
from learnrate.compat.mxnet.gluon.data.dataset import Dataset

__all__ = ["MNIST", "FashionMNIST"]


class _Pictures(Dataset):
    """Images and their classes: example i is an NDArray (28, 28, 1) of uint8 and an int32.

    Parameters
    ----------
    root : path, optional
        A folder with the four files in idx format, compressed with gzip or not.
    train : bool
        Whether to use the examples for training or those for testing.
    transform : callable, optional
        Computes example i from image and class.
    """

    _name = ""

    def __init__(
        self,
        root: Any = None,
        train: bool = True,
        transform: Callable[[Any, Any], Any] | None = None,
    ) -> None:
        self._pictures, self._labels = datasets.images(self._name, train, root)
        self._transform = transform

    def __getitem__(self, i: Any) -> Any:
        picture, label = nd.array(self._pictures[i], dtype="uint8"), self._labels[i]
        return (picture, label) if self._transform is None else self._transform(picture, label)

    def __len__(self) -> int:
        return len(self._labels)

    def batch(self, rows: Sequence[int]) -> Any:
        """Return a minibatch; the arrays are indexed once, which is fast."""
        if self._transform is not None:
            return super().batch(rows)
        chosen = list(rows)
        return [
            nd.array(self._pictures[chosen], dtype="uint8"),
            nd.array(self._labels[chosen], dtype="int32"),
        ]


class FashionMNIST(_Pictures):
    """70,000 images of clothes in ten classes. Source: Xiao, Rasul & Vollgraf, arXiv 1708.07747."""

    _name = "fashion-mnist"


class MNIST(_Pictures):
    """70,000 images of handwritten digits. Source: LeCun, Cortes & Burges, 1998."""

    _name = "mnist"


__getattr__ = missing("gluon.data.vision.datasets", __all__)
