"""The classifier is one of scikit-learn's, and its model is the sweep's."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_iris, load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import learnrate
from learnrate.errors import DataError
from learnrate.sklearn import SweptSGDClassifier

CHECK = """
from sklearn.utils.estimator_checks import check_estimator
from learnrate.sklearn import SweptSGDClassifier
for estimator in (
    SweptSGDClassifier(),
    SweptSGDClassifier(
        lrs="log:1e-3:1e-1:5", epochs=30, seeds=2, optimizer="adam", weight_decay=0.01,
        schedule="cosine", keep_result=False,
    ),
):
    results = check_estimator(estimator, on_skip=None, on_fail=None)
    assert len(results) > 40, len(results)
    for result in results:
        assert result["status"] == "passed", result
"""


@pytest.mark.slow
def test_it_passes_all_of_scikit_learns_checks() -> None:
    environment = {**os.environ, "SCIPY_ARRAY_API": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", CHECK], capture_output=True, text=True, timeout=300, env=environment
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("load", [load_iris, load_breast_cancer])
def test_the_model_is_that_of_the_suggested_lane(load: Any) -> None:
    X, y = load(return_X_y=True)
    names = np.array(["zebra", "ape", "cat"])[y]
    model = SweptSGDClassifier(epochs=5, random_state=3, validation_fraction=0.25).fit(X, names)
    result = learnrate.sweep(X, names, epochs=5, seed=3, val=0.25, standardize=True)
    expected = result.model()
    assert model.learning_rate_ == result.suggestion().lr
    assert model.classes_.tolist() == list(expected.classes)
    np.testing.assert_array_equal(model.curves_, result.losses)
    np.testing.assert_array_equal(model.predict(X), expected.predict(X))
    np.testing.assert_allclose(model.predict_proba(X), expected.probabilities(X), atol=1e-14)
    two = len(model.classes_) == 2
    assert model.coef_.shape == (1 if two else 3, X.shape[1])
    assert model.decision_function(X).shape == ((len(X),) if two else (len(X), 3))


@pytest.mark.parametrize("load", [load_wine, load_breast_cancer])
def test_it_comes_near_logistic_regression(load: Any) -> None:
    X, y = load(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0, stratify=y)
    model = SweptSGDClassifier(random_state=0, validation_fraction=0.2).fit(X_train, y_train)
    other = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(X_train, y_train)
    assert model.score(X_test, y_test) >= other.score(X_test, y_test) - 0.03
    ours, theirs = (log_loss(y_test, m.predict_proba(X_test)) for m in (model, other))
    assert ours < theirs + 0.1


def test_cross_validation_and_small_probabilities() -> None:
    X, y = load_iris(return_X_y=True)
    assert cross_val_score(SweptSGDClassifier(random_state=0), X, y, cv=3).min() > 0.9
    model = SweptSGDClassifier(random_state=0).fit(X, y == 0)
    far = model.predict_log_proba(1e4 * X)
    assert np.isfinite(far).all()
    assert far.min() < -1000


def test_one_class_is_refused() -> None:
    X, _ = load_iris(return_X_y=True)
    with pytest.raises(DataError, match="at least 2 classes"):
        SweptSGDClassifier().fit(X, np.ones(len(X)))
