"""``SweptSGDRegressor``: every rate in one sweep, and the model of the suggested one."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from learnrate._shapes import Array, Float
from learnrate.engines.schedules import Schedule
from learnrate.errors import OptionError
from learnrate.report.curves import format_rate
from learnrate.sweeps.linear import LinearSweepResult
from learnrate.sweeps.run import sweep

__all__ = ["SweptSGDRegressor"]


class SweptSGDRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]  # untyped bases
    """Linear regression by minibatch SGD at the best of many learning rates, all trained in one sweep.

    `fit` trains ``ŷ = X·w + b`` under every rate in ``lrs`` with `learnrate.sweep` and keeps the model of the
    rate that the sweep suggests. Every step on minibatch J is
    ``w ← w − η/|B| · Σ_{i∈J} x_i (x_i·w + b − y_i)``, and the same for b.

    Parameters
    ----------
    lrs : numbers or str
        Learning rates; ``"auto"``, a grid around the largest rate that the data allow; or what ``--lrs``
        takes, such as ``"log:1e-4:1:25"``.
    batch_size : int, optional
        Nominal ``|B|``; 10 unless given, or the number of examples where there are fewer.
    epochs : int
        Passes over the examples, with every rate.
    seeds : int
        Every rate is trained this many times. The rate is chosen over all of them, and the model that is
        kept is that of the first.
    validation_fraction : float
        Fraction of the examples held out to choose the rate by; with 0 the training loss decides.
    sampling : {"shuffle", "independent"}
        A fresh permutation every epoch, or every minibatch drawn afresh.
    momentum, weight_decay : float
        μ in [0, 1), and the L2 penalty α on the weights (not on the bias), per step as in
        `learnrate.engines.problem`. With ``standardize`` it acts on the weights of standardised features.
    schedule : str or callable
        ``"constant"``, ``"step"``, ``"cosine"``, ``"inverse-time"``, or a function of the step.
    standardize : bool
        Train on features with mean 0 and standard deviation 1; ``coef_`` is in the units of X either way.
    dtype : {"float64", "float32"}
        Type of the training arithmetic.
    engine : str
        ``"auto"`` or an engine's name; all give the same curves.
    threads : int
        Threads an engine may use.
    random_state : int, RandomState or None
        Start, minibatch order and split follow from it: an int is the ``seed`` of `learnrate.sweep`;
        from anything else a seed is drawn as scikit-learn does, and kept in ``result_.config.seed``.
    keep_result : bool
        Keep ``result_``. It holds the training examples, so a pickle of the estimator does too; with
        False it holds none of them.

    Attributes
    ----------
    learning_rate_ : float
        The rate whose model was kept.
    coef_ : float64 array, shape (d,)
    intercept_ : float64 array, shape (1,)
        As in scikit-learn's SGDRegressor.
    lrs_ : float64 array, shape (K,)
        The rates that were trained.
    curves_ : float64 array, shape (seeds, K, epochs + 1)
        Mean of ``½(ŷ − y)²`` over the training examples, before training and after each epoch. Not finite
        once a rate has diverged.
    result_ : LinearSweepResult
        All of the sweep, with ``plot()``, ``suggestion()``, ``to_frame()``, ``save()``; see ``keep_result``.
    n_iter_ : int
        Epochs that the kept model was trained for.
    n_features_in_ : int
    feature_names_in_ : array of str, shape (d,)
        Where X has names of columns that are all strings.

    Notes
    -----
    There is no ``sample_weight``, no ``partial_fit`` and one output: docs/scikit-learn.md says why, and what
    to do instead.

    Examples
    --------
    >>> from learnrate.sklearn import SweptSGDRegressor
    >>> import learnrate
    >>> X, y = learnrate.note_data()
    >>> model = SweptSGDRegressor(epochs=3, random_state=0).fit(X, y)
    >>> model.coef_.round(2)
    array([ 2. , -3.4])
    >>> round(model.score(X, y), 3)
    1.0
    """

    def __init__(
        self,
        *,
        lrs: str | float | Iterable[float] = "auto",
        batch_size: int | None = None,
        epochs: int = 20,
        seeds: int = 1,
        validation_fraction: float = 0.0,
        sampling: str = "shuffle",
        momentum: float = 0.0,
        weight_decay: float = 0.0,
        schedule: Schedule = "constant",
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
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.schedule = schedule
        self.standardize = standardize
        self.dtype = dtype
        self.engine = engine
        self.threads = threads
        self.random_state = random_state
        self.keep_result = keep_result

    def fit(self, X: Any, y: Any) -> Self:
        """Train every rate, and keep the model of the suggested one.

        Where the sweep suggests none (every rate raised the loss that decides), the finite rate with the
        lowest final loss is kept, with a ConvergenceWarning.

        Parameters
        ----------
        X : array-like or frame, shape (n, d)
            Finite numbers, dense.
        y : array-like, shape (n,)
            One label per example.

        Returns
        -------
        SweptSGDRegressor
            Itself.

        Raises
        ------
        ValueError, TypeError
            scikit-learn's own, for examples that cannot be used; a sparse X is a TypeError.
        OptionError
            If a parameter cannot be used, or every rate diverged.
        """
        X, y = validate_data(
            self,
            X,
            y,
            dtype=[np.float64, np.float32],
            order="C",
            y_numeric=True,
            ensure_min_samples=2,
        )
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
            momentum=self.momentum,
            weight_decay=self.weight_decay,
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
        self.coef_, self.intercept_ = model.w, np.array([model.b])
        self.lrs_, self.curves_, self.n_iter_ = result.lrs, result.losses, result.epochs
        if self.keep_result:
            self.result_ = result
        elif hasattr(self, "result_"):  # that of an earlier fit
            del self.result_
        return self

    def _seed(self) -> int:
        if isinstance(self.random_state, int | np.integer):
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))

    def predict(self, X: Any) -> Float[Array, " m"]:
        """``ŷ = X·w + b``.

        Parameters
        ----------
        X : array-like or frame, shape (m, d)
            The columns that `fit` was given.

        Returns
        -------
        float64 array, shape (m,)
        """
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=[np.float64, np.float32])
        with np.errstate(all="ignore"):
            return np.asarray(X @ self.coef_ + self.intercept_)


def _least_bad(result: LinearSweepResult) -> float:
    """The rate with the lowest final loss that is finite for every seed, where none is suggested."""
    losses = result.losses if result.val_losses is None else result.val_losses
    final = losses[:, :, -1]
    # Finite weights too: float arithmetic can give a finite loss on the one part and not on the other.
    finite = np.isfinite(final).all(axis=0) & np.isfinite(result.W).all(axis=(0, 2))
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
        stacklevel=3,
    )
    return lr
