"""Data sets of images, and transforms."""

from learnrate._missing import missing
from learnrate.compat.mxnet.gluon.data.vision import datasets, transforms
from learnrate.compat.mxnet.gluon.data.vision.datasets import MNIST, FashionMNIST

__all__ = ["MNIST", "FashionMNIST", "datasets", "transforms"]

__getattr__ = missing("gluon.data.vision", __all__)
