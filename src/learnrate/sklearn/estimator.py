"""The base class of the estimators: their options, the sweep inside ``fit``, and the choice of the model."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from learnrate._shapes import Array
from learnrate.errors import OptionError
from learnrate.report.curves import format_rate
from learnrate.sweeps.linear import LinearSweepResult
from learnrate.sweeps.model import LinearModel
from learnrate.sweeps.options import Optimizer
from learnrate.sweeps.run import sweep
from learnrate.training.schedules import ScheduleLike

__all__ = ["SweptSGD"]


class SweptSGD(BaseEstimator):  # type: ignore[misc]  # untyped base
    """Base of `SweptSGDRegressor` and `SweptSGDClassifier`, whose docstrings describe the options."""

    def __init__(
        self,
        *,
        lrs: str | float | Iterable[float] = "auto",
        batch_size: int | None = None,
        epochs: int = 20,
        seeds: int = 1,
        validation_fraction: float = 0.0,
        sampling: str = "shuffle",
        optimizer: str = "sgd",
        optimizer_options: Mapping[str, Any] | None = None,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
        schedule: ScheduleLike = "constant",
        standardize: bool = True,
        dtype: str = "float64",
        engine: str = "auto",
        threads: int = 1,
        random_state: Any = None,
        keep_result: bool = True,
    ) -> None:
        self.lrs = lrs
        self.batch_size = batch_size
        self.epochs = epochs
        self.seeds = seeds
        self.validation_fraction = validation_fraction
        self.sampling = sampling
        self.optimizer = optimizer
        self.optimizer_options = optimizer_options
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.schedule = schedule
        self.standardize = standardize
        self.dtype = dtype
        self.engine = engine
        self.threads = threads
        self.random_state = random_state
        self.keep_result = keep_result

    def _swept(self, X: Array, y: Array, loss: str) -> LinearModel:
        """Train with every rate, set the attributes of the fit, and return the model of the suggested rate."""
        result = sweep(
            X,
            y,
            lrs=self.lrs,
            batch_size=self.batch_size,
            epochs=self.epochs,
            seed=self._seed(),
            seeds=self.seeds,
            val=self.validation_fraction,
            sampling=self.sampling,
            loss=loss,
            optimizer=Optimizer(
                self.optimizer,
                {} if self.optimizer_options is None else self.optimizer_options,
                self.momentum,
                self.weight_decay,
            ),
            schedule=self.schedule,
            standardize=self.standardize,
            dtype=self.dtype,
            engine=self.engine,
            threads=self.threads,
        )
        if hasattr(self, "feature_names_in_"):
            names = tuple(map(str, self.feature_names_in_))
            result = replace(result, data=replace(result.data, feature_names=names))
        chosen = result.suggestion().lr
        self.learning_rate_ = _least_bad(result) if chosen is None else chosen
        model = result.model(self.learning_rate_)
        self.lrs_, self.curves_, self.n_iter_ = result.lrs, result.losses, result.epochs
        if self.keep_result:
            self.result_ = result
        elif hasattr(self, "result_"):  # from an earlier fit
            del self.result_
        return model

    def _seed(self) -> int:
        if isinstance(self.random_state, int | np.integer):
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))


def _least_bad(result: LinearSweepResult) -> float:
    """The rate with the lowest final loss among those that are finite for every seed, with a ConvergenceWarning.

    Raises
    ------
    OptionError
        If every rate diverged.
    """
    losses = result.losses if result.val_losses is None else result.val_losses
    final = losses[:, :, -1]
    # Check the weights too: a loss on the held-out examples can be finite though training diverged.
    finite = np.isfinite(final).all(axis=0) & np.isfinite(result.W).all(
        axis=(0, *range(2, result.W.ndim))
    )
    if not finite.any():
        K = len(result.lrs)
        count = "1, which diverges" if K == 1 else f"{K} that all diverge"
        raise OptionError(
            f"lrs must hold a rate that converges. Got {count}, from "
            f"{format_rate(float(result.lrs.min()))} up; try smaller ones, or lrs='auto'."
        )
    kept = np.flatnonzero(finite)
    lr = float(result.lrs[kept[np.argmin(final[:, kept].mean(axis=0))]])
    warnings.warn(
        f"No learning rate could be suggested: {result.suggestion().reason} "
        f"The model of {format_rate(lr)}, the least bad of them, is kept.",
        ConvergenceWarning,
        stacklevel=4,
    )
    return lr
