"""Data of the book: minibatches in random order, Fashion-MNIST, and the noise of wings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from learnrate import nd
from learnrate.compat import datasets
from learnrate.compat.mxnet.gluon.data import DataLoader
from learnrate.compat.mxnet.gluon.data.vision import FashionMNIST, transforms
from learnrate.errors import DataError, OptionError
from learnrate.nd import NDArray
from learnrate.scratch import data_iter as _data_iter

__all__ = ["data_iter", "get_data_ch7", "get_fashion_mnist_labels", "load_data_fashion_mnist"]

_CLOTHES = (
    "t-shirt",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)


def data_iter(
    batch_size: int, features: NDArray, labels: NDArray
) -> Iterator[tuple[NDArray, NDArray]]:
    """Yield minibatches ``(X, y)`` of ``batch_size`` examples in a random order, which depends on ``mx.random.seed``."""
    order = nd.random.shuffle(nd.array(range(len(features)), dtype="int64")).asnumpy()
    return _data_iter(batch_size, features, labels, order=order)


def get_fashion_mnist_labels(labels: Any) -> list[str]:
    """Return the class names of Fashion-MNIST for labels from 0 to 9.

    Raises
    ------
    DataError
        If a label is not from 0 to 9.
    """
    numbers = [int(label) for label in labels]
    unknown = sorted({number for number in numbers if not 0 <= number < len(_CLOTHES)})
    if unknown:
        raise DataError(f"Labels of Fashion-MNIST must be from 0 to 9. Got {unknown[0]} instead.")
    return [_CLOTHES[number] for number in numbers]


def load_data_fashion_mnist(
    batch_size: int, resize: int | None = None, root: Any = None
) -> tuple[DataLoader, DataLoader]:
    """Return loaders of Fashion-MNIST: one for training, in random order, and one for testing.

    A minibatch is a pair of images (n, 1, 28, 28), float32 in [0, 1], and classes (n,), int32.

    Parameters
    ----------
    batch_size : int
        Batch size |B|.
    resize : None
        Must be None. Larger images are for convolutional networks, which are not part of learnrate.
    root : path, optional
        The folder of the four files in idx format. By default the usual folders are searched.

    Raises
    ------
    OptionError
        If ``resize`` is given.
    """
    if resize is not None:
        raise OptionError(
            f"resize must be None: pictures stay 28 by 28. Got {resize!r} instead; larger ones are for "
            "convolutional networks, which are not part of learnrate."
        )
    to_tensor = transforms.ToTensor()
    train, test = (
        DataLoader(FashionMNIST(root, train).transform_first(to_tensor), batch_size, shuffle=train)
        for train in (True, False)
    )
    return train, test


def get_data_ch7() -> tuple[NDArray, NDArray]:
    """Return 1,500 examples of the noise of wings: features (1500, 5) and labels (1500,), standardised."""
    table = datasets.airfoil()
    table = (table - table.mean(axis=0)) / table.std(axis=0)
    return nd.array(table[:1500, :-1]), nd.array(table[:1500, -1])
