"""``SweptSGDClassifier``: logistic or softmax regression by SGD, with the learning rate that a sweep suggests."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from learnrate._shapes import Array, Float
from learnrate.errors import DataError
from learnrate.sklearn.estimator import SweptSGD

__all__ = ["SweptSGDClassifier"]


class SweptSGDClassifier(ClassifierMixin, SweptSGD):  # type: ignore[misc]  # untyped base
    """Logistic or softmax regression by minibatch SGD at the best of many learning rates, all trained in one sweep.

    `fit` trains ``z = X·W + b`` under every rate in ``lrs`` with `learnrate.sweep` and keeps the model of the
    suggested rate. The loss is the log loss: of ``σ(z)`` for two classes, of ``softmax(z)`` for more.

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
        Fraction of each class that is held out to choose the rate; with 0 the training loss decides.
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
    classes_ : array, shape (C,)
        The classes, sorted.
    learning_rate_ : float
        The rate of the model.
    coef_ : float64 array, shape (1, d) for two classes, else (C, d)
    intercept_ : float64 array, shape (1,) or (C,)
        As in scikit-learn's LogisticRegression.
    lrs_ : float64 array, shape (K,)
        The rates that were trained.
    curves_ : float64 array, shape (seeds, K, epochs + 1)
        Mean log loss over the training examples, before training and after each epoch.
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
    There is no ``sample_weight``, no ``class_weight`` and no ``partial_fit``: docs/scikit-learn.md says why.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from learnrate.sklearn import SweptSGDClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = SweptSGDClassifier(random_state=0).fit(X, y)
    >>> model.coef_.shape
    (3, 4)
    >>> model.score(X, y) > 0.95
    True
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
            The class of each example; at least two classes, with two examples each.

        Returns
        -------
        SweptSGDClassifier
            Itself.

        Raises
        ------
        ValueError, TypeError
            From scikit-learn, if the examples are not valid; TypeError for a sparse X.
        DataError, OptionError
            If the classes or a parameter are not valid.
        """
        X, y = validate_data(
            self, X, y, dtype=[np.float64, np.float32], order="C", ensure_min_samples=2
        )
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise DataError(
                f"The classifier must be given at least 2 classes. Got one class alone, {self.classes_[0]!r}."
            )
        two = len(self.classes_) == 2
        model = self._swept(X, codes, "logistic" if two else "softmax")
        self.coef_ = model.w[None] if two else model.w.T.copy()
        self.intercept_ = np.atleast_1d(np.asarray(model.b, dtype=np.float64))
        return self

    def decision_function(self, X: Any) -> Float[Array, "m ..."]:
        """``z = X·W + b``: shape (m,) for two classes, positive for ``classes_[1]``; else shape (m, C).

        Parameters
        ----------
        X : array-like or frame, shape (m, d)
            Columns as in `fit`.
        """
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=[np.float64, np.float32])
        with np.errstate(all="ignore"):
            z = np.asarray(X @ self.coef_.T + self.intercept_)
        return z[:, 0] if z.shape[1] == 1 else z

    def predict(self, X: Any) -> Array:
        """The most probable class of each example, shape (m,).

        Parameters
        ----------
        X : array-like or frame, shape (m, d)
            Columns as in `fit`.
        """
        z = self.decision_function(X)
        chosen: Array = self.classes_[(z > 0).astype(int) if z.ndim == 1 else z.argmax(axis=1)]
        return chosen

    def predict_proba(self, X: Any) -> Float[Array, "m C"]:
        """The probability of every class, in the order of ``classes_``: from ``σ(z)`` or ``softmax(z)``.

        Parameters
        ----------
        X : array-like or frame, shape (m, d)
            Columns as in `fit`.
        """
        return np.exp(self.predict_log_proba(X))

    def predict_log_proba(self, X: Any) -> Float[Array, "m C"]:
        """The logarithms of the probabilities of `predict_proba`, also accurate for small ones.

        Parameters
        ----------
        X : array-like or frame, shape (m, d)
            Columns as in `fit`.
        """
        z = self.decision_function(X)
        if z.ndim == 1:
            z = np.stack([np.zeros_like(z), z], axis=1)
        z = z - z.max(axis=1, keepdims=True)
        return np.asarray(z - np.log(np.exp(z).sum(axis=1, keepdims=True)))
