"""``SweptSGDRegressor``: linear regression by SGD, with the learning rate that a sweep suggests."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from learnrate._shapes import Array, Float
from learnrate.sklearn.estimator import SweptSGD

__all__ = ["SweptSGDRegressor"]


class SweptSGDRegressor(RegressorMixin, SweptSGD):  # type: ignore[misc]  # untyped base
    """Linear regression by minibatch SGD at the best of many learning rates, all trained in one sweep.

    `fit` trains ``ŷ = X·w + b`` under every rate in ``lrs`` with `learnrate.sweep` and keeps the model of the
    suggested rate. Every step on minibatch J is
    ``w ← w − η/|B| · Σ_{i∈J} x_i (x_i·w + b − y_i)``, and the same for b.

    Parameters
    ----------
    lrs : numbers or str
        Learning rates; ``"auto"``, a grid around the largest rate that converges; or a string as for ``--lrs``,
        such as ``"log:1e-4:1:25"``.
    batch_size : int, optional
        Nominal batch size ``|B|``. By default 10, or the number of examples if that is smaller.
    epochs : int
        Number of passes over the examples.
    seeds : int
        Number of seeds with which every rate is trained. All of them decide the rate; the model is that of the first.
    validation_fraction : float
        Fraction of the examples that is held out to choose the rate; with 0 the training loss decides.
    sampling : {"shuffle", "independent"}
        A new permutation in every epoch, or independently drawn minibatches.
    optimizer : str
        ``"sgd"``, ``"momentum"``, ``"nesterov"``, ``"adam"``, ``"adamw"``, …; see `learnrate.sweep`.
    optimizer_options : mapping, optional
        Options of the optimizer, named as in `torch.optim`.
    momentum, weight_decay : float
        μ in [0, 1), and the L2 penalty α on the weights (not on the bias), per step as in
        `learnrate.linear.problem`. With ``standardize`` it acts on the weights of standardised features.
    schedule : str, Schedule or callable
        ``"constant"``, ``"step"``, ``"cosine"``, ``"inverse-time"``, …, a `learnrate.Schedule`, or a function of the step.
    standardize : bool
        Whether to scale features to mean 0 and standard deviation 1 for training; ``coef_`` is in the units of X.
    dtype : {"float64", "float32"}
        Type of the numbers in training.
    engine : str
        ``"auto"`` or the name of an engine; all give the same curves.
    threads : int
        Number of threads.
    random_state : int, RandomState or None
        Decides the initial parameters, the minibatch order and the held-out split. An int is the ``seed`` of
        `learnrate.sweep`; otherwise a seed is drawn as scikit-learn does, and kept in ``result_.config.seed``.
    keep_result : bool
        Whether to keep ``result_``. It holds the training examples, so a pickle of the estimator contains them too.

    Attributes
    ----------
    learning_rate_ : float
        The rate of the model.
    coef_ : float64 array, shape (d,)
    intercept_ : float64 array, shape (1,)
        As in scikit-learn's SGDRegressor.
    lrs_ : float64 array, shape (K,)
        The rates that were trained.
    curves_ : float64 array, shape (seeds, K, epochs + 1)
        Mean of ``½(ŷ − y)²`` over the training examples, before training and after each epoch. Not finite
        once a rate has diverged.
    result_ : LinearSweepResult
        The whole sweep, with ``plot()``, ``suggestion()``, ``to_frame()``, ``save()``; only with ``keep_result``.
    n_iter_ : int
        Number of epochs of the training.
    n_features_in_ : int
        Number of features, d.
    feature_names_in_ : array of str, shape (d,)
        Column names of X, only if they are all strings.

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

    def fit(self, X: Any, y: Any) -> Self:
        """Train with every rate, and keep the model of the suggested one.

        If the sweep suggests no rate, because every rate raised the loss, the one with the lowest finite final loss is
        kept, with a ConvergenceWarning.

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
            From scikit-learn, if the examples are not valid; TypeError for a sparse X.
        OptionError
            If a parameter is not valid, or every rate diverged.
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
        model = self._swept(X, y, "squared")
        self.coef_, self.intercept_ = model.w, np.array([model.b])
        return self

    def predict(self, X: Any) -> Float[Array, " m"]:
        """The predictions ``ŷ = X·w + b``.

        Parameters
        ----------
        X : array-like or frame, shape (m, d)
            Columns as in `fit`.

        Returns
        -------
        float64 array, shape (m,)
        """
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=[np.float64, np.float32])
        with np.errstate(all="ignore"):
            return np.asarray(X @ self.coef_ + self.intercept_)
