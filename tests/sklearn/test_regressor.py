"""The estimator is one of scikit-learn's, and its model is the sweep's."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import warnings
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes, make_regression
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LinearRegression, SGDRegressor
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

import learnrate
from learnrate.errors import OptionError
from learnrate.sklearn import SweptSGDRegressor

# The array API check is left out unless SciPy was told before it was imported; so in a process of its own.
CHECK = """
from sklearn.utils.estimator_checks import check_estimator
from learnrate.sklearn import SweptSGDRegressor
for estimator in (
    SweptSGDRegressor(),
    SweptSGDRegressor(
        lrs="log:1e-3:1e-1:5", epochs=30, seeds=2, momentum=0.5, weight_decay=0.01,
        schedule="cosine", keep_result=False,
    ),
):
    results = check_estimator(estimator, on_skip=None, on_fail=None)
    assert len(results) > 40, len(results)
    for result in results:
        assert result["status"] == "passed", result
"""


def data(n: int = 120, d: int = 4, *, seed: int = 0) -> tuple[Any, Any]:
    X, y = make_regression(n, d, noise=3, bias=7, random_state=seed)
    return X * [1, 10, 0.1, 1000][:d] + 5, y


def test_it_passes_all_of_scikit_learns_checks() -> None:
    environment = {**os.environ, "SCIPY_ARRAY_API": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", CHECK], capture_output=True, text=True, timeout=300, env=environment
    )
    assert done.returncode == 0, done.stderr


def test_the_model_is_that_of_the_suggested_lane() -> None:
    X, y = data()
    model = SweptSGDRegressor(epochs=5, seeds=2, random_state=3, validation_fraction=0.25).fit(X, y)
    result = learnrate.sweep(X, y, epochs=5, seed=3, seeds=2, val=0.25, standardize=True)
    assert model.learning_rate_ == result.suggestion().lr
    expected = result.model()
    np.testing.assert_array_equal(model.coef_, expected.w)
    assert model.intercept_.shape == (1,)
    assert model.intercept_[0] == expected.b
    np.testing.assert_array_equal(model.curves_, result.losses)
    np.testing.assert_array_equal(model.lrs_, result.lrs)
    np.testing.assert_array_equal(model.predict(X), expected.predict(X))
    assert model.result_.suggestion() == result.suggestion()
    assert (model.n_iter_, model.n_features_in_) == (5, 4)


def test_it_comes_near_least_squares_on_badly_scaled_features() -> None:
    X, y = data()
    model = SweptSGDRegressor(random_state=0).fit(X, y)
    assert model.score(X, y) > LinearRegression().fit(X, y).score(X, y) - 0.002


def test_options_reach_the_sweep() -> None:
    X, y = data()
    model = SweptSGDRegressor(
        lrs=[0.01, 0.02],
        batch_size=7,
        epochs=2,
        sampling="independent",
        momentum=0.3,
        weight_decay=0.1,
        schedule="cosine",
        standardize=True,
        dtype="float32",
        engine="reference",
        random_state=1,
    ).fit(X, y)
    settings = model.result_.config.as_dict()
    expected = {
        "batch_size": 7,
        "epochs": 2,
        "seed": 1,
        "seeds": 1,
        "sampling": "independent",
        "dtype": "float32",
        "engine": "reference",
        "momentum": 0.3,
        "weight_decay": 0.1,
        "schedule": "cosine",
    }
    assert settings | expected == settings
    assert model.result_.data.scaling is not None
    other = SweptSGDRegressor(lrs=1e-9, standardize=False, threads=2).fit(X, y)
    assert (other.result_.data.scaling, other.result_.config.threads) == (None, 2)


def test_a_seed_is_drawn_as_scikit_learn_does_and_can_be_used_again() -> None:
    X, y = data()
    drawn = SweptSGDRegressor(epochs=1, random_state=np.random.RandomState(5)).fit(X, y)
    same = SweptSGDRegressor(epochs=1, random_state=np.random.RandomState(5)).fit(X, y)
    again = SweptSGDRegressor(epochs=1, random_state=drawn.result_.config.seed).fit(X, y)
    np.testing.assert_array_equal(drawn.coef_, same.coef_)
    np.testing.assert_array_equal(drawn.coef_, again.coef_)
    other = SweptSGDRegressor(epochs=1, random_state=6).fit(X, y)
    assert not np.array_equal(drawn.coef_, other.coef_)


def test_pipeline_search_clone_and_cross_validation() -> None:
    X, y = load_diabetes(return_X_y=True)
    X = X[:, [2, 3, 8]]
    pipeline = make_pipeline(PolynomialFeatures(), StandardScaler(), SweptSGDRegressor(epochs=5))
    search = GridSearchCV(pipeline, {"sweptsgdregressor__weight_decay": [0.0, 0.3]}, cv=3)
    search.fit(X, y)
    assert search.best_score_ > 0.3
    assert search.best_estimator_[-1].learning_rate_ > 0
    scores = cross_val_score(SweptSGDRegressor(epochs=5, random_state=0), X, y, cv=4)
    assert scores.min() > 0.3
    model = clone(SweptSGDRegressor(lrs=np.array([0.01, 0.1]), epochs=4).fit(X, y))
    assert model.epochs == 4
    assert not hasattr(model, "coef_")


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_names_of_columns_come_through_a_pipeline(container: str) -> None:
    X, y = data()
    frame = pl.DataFrame(X, schema=["a", "b", "c", "d"])
    table = frame.to_pandas() if container == "pandas" else frame
    scale = ColumnTransformer([("scaled", StandardScaler(), ["a", "b"])], remainder="passthrough")
    pipeline = make_pipeline(scale, SweptSGDRegressor(epochs=3, random_state=0))
    pipeline.set_output(transform=container).fit(table, y)
    names = ["scaled__a", "scaled__b", "remainder__c", "remainder__d"]
    assert list(pipeline[-1].feature_names_in_) == names
    assert pipeline[-1].result_.model().feature_names == tuple(names)
    assert pipeline.predict(table).shape == (120,)
    with pytest.raises(ValueError, match="feature names"):
        pipeline[-1].predict(table)


@pytest.mark.parametrize("keep_result", [True, False])
def test_a_pickle_predicts_the_same(keep_result: bool) -> None:
    X, y = data(1000)
    model = SweptSGDRegressor(epochs=3, random_state=0, keep_result=keep_result).fit(X, y)
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.predict(X), model.predict(X))
    assert hasattr(copy, "result_") == keep_result
    if keep_result:
        assert copy.result_.suggestion() == model.result_.suggestion()
        assert copy.result_.sentences == model.result_.sentences
    assert (len(pickle.dumps(model)) > X.nbytes) == keep_result  # the examples are in it, or not


def test_a_second_fit_leaves_nothing_of_the_first() -> None:
    X, y = data()
    model = SweptSGDRegressor(epochs=1).fit(X, y)
    model.set_params(keep_result=False).fit(X[:, :2], y)
    assert not hasattr(model, "result_")
    assert model.coef_.shape == (2,)


def test_without_a_suggestion_the_least_bad_rate_is_kept_with_a_warning() -> None:
    X, y = data()
    model = SweptSGDRegressor(lrs=[3.0, 2.5, 100.0], epochs=1, seeds=2, random_state=0)
    with pytest.warns(ConvergenceWarning, match="could be suggested: every rate from 2.5") as seen:
        model.fit(X, y)
    assert seen[0].filename == __file__
    assert (model.curves_[:, :, -1] > model.curves_[:, :, 0]).all()
    assert model.learning_rate_ == 2.5
    np.testing.assert_array_equal(model.coef_, model.result_.W[0, 1])


def test_rates_that_all_diverge_are_an_error() -> None:
    X, y = data()
    with pytest.raises(
        OptionError, match=r"lrs must hold a rate that converges\. Got 2 .* from 50 up"
    ):
        SweptSGDRegressor(lrs=[100, 50], epochs=400).fit(X, y)
    with pytest.raises(OptionError, match=r"Got 1, which diverges, from 50 up"):
        SweptSGDRegressor(lrs=[50], epochs=400).fit(X, y)


def test_what_it_does_not_do_is_refused_clearly() -> None:
    from scipy.sparse import csr_array

    X, y = data()
    with pytest.raises(TypeError, match="dense data is required"):
        SweptSGDRegressor().fit(csr_array(X), y)
    with pytest.raises(ValueError, match="1d array"):
        SweptSGDRegressor().fit(X, np.column_stack([y, y]))
    with pytest.raises(TypeError, match="sample_weight"):
        SweptSGDRegressor().fit(X, y, sample_weight=np.ones(len(y)))  # type: ignore[call-arg]
    with pytest.raises(OptionError, match="momentum must be in"):
        SweptSGDRegressor(momentum=1.5).fit(X, y)
    with pytest.raises(NotFittedError):
        SweptSGDRegressor().predict(X)


def test_several_outputs_are_one_sweep_each() -> None:
    X, y = data()
    Y = np.column_stack([y, X[:, 0]])
    model = MultiOutputRegressor(SweptSGDRegressor(epochs=5, random_state=0)).fit(X, Y)
    alone = SweptSGDRegressor(epochs=5, random_state=0).fit(X, X[:, 0])
    np.testing.assert_array_equal(model.predict(X)[:, 1], alone.predict(X))


def test_the_rate_serves_sgd_regressor_as_it_is() -> None:
    """With a batch size of 1 the steps are SGDRegressor's own, its penalty off and its rate constant."""
    X, y = data()
    Z = StandardScaler().fit_transform(X)
    swept = SweptSGDRegressor(batch_size=1, epochs=20, random_state=0).fit(Z, y)
    theirs = SGDRegressor(
        penalty=None, learning_rate="constant", eta0=swept.learning_rate_, max_iter=20, tol=None
    ).fit(Z, y)
    np.testing.assert_allclose(theirs.coef_, swept.coef_, atol=0.05 * np.abs(y).max())
    assert theirs.score(Z, y) > swept.score(Z, y) - 0.001
    limit = swept.result_.typical_limit
    assert limit is not None
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        beyond = SGDRegressor(
            penalty=None, learning_rate="constant", eta0=4 * limit, max_iter=20, tol=None
        ).fit(Z, y)
        assert beyond.score(Z, y) < 0


def test_importing_learnrate_leaves_scikit_learn_alone() -> None:
    code = (
        "import sys, learnrate, learnrate.cli.app; learnrate.sweep; print('sklearn' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "False", done.stderr
    code = (
        "import sys; sys.modules['sklearn'] = None\n"
        "from learnrate.errors import MissingExtraError\n"
        "try:\n    import learnrate.sklearn\nexcept MissingExtraError as e:\n    print(e)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "pip install 'learnrate[sklearn]'" in done.stdout, done.stderr
