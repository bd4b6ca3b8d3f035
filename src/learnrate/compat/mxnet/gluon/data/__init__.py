"""Data sets and minibatches."""

from learnrate._missing import missing
from learnrate.compat.mxnet.gluon.data import dataloader, dataset, vision
from learnrate.compat.mxnet.gluon.data.dataloader import DataLoader
from learnrate.compat.mxnet.gluon.data.dataset import ArrayDataset, Dataset

__all__ = ["ArrayDataset", "DataLoader", "Dataset", "dataloader", "dataset", "vision"]

__getattr__ = missing("gluon.data", __all__)
