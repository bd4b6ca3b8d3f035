"""Sweeps whose target is a class, and other losses and optimizers, through the front door."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import learnrate
from learnrate._shapes import Array
from learnrate.errors import DataError, OptionError
from learnrate.training.losses import Logistic, Softmax


def flowers(n: int = 90, classes: int = 3, seed: int = 0) -> pl.DataFrame:
    """A table like that of the irises: a cloud of four lengths for each kind."""
    rng = np.random.default_rng(seed)
    codes = np.arange(n) % classes
    X = rng.normal(codes[:, None] * [0.4, -0.2, 0.8, 0.4] + 5, 0.7)
    names = np.array(["setosa", "versicolor", "virginica", "other"])
    return pl.DataFrame({f"length_{j}": X[:, j] for j in range(4)}).with_columns(
        kind=pl.Series(names[codes])
    )


def swept(frame: Any = None, **settings: Any) -> learnrate.LinearSweepResult:
    asked = {"target": "kind", "lrs": [0.05, 0.5], "epochs": 4, **settings}
    return learnrate.sweep(flowers() if frame is None else frame, **asked)


def test_text_is_learned_as_classes() -> None:
    result = swept(val=0.2, seeds=2)
    assert result.config.loss == "softmax"
    assert result.engine in ("rows", "fused")
    assert result.loss == Softmax(3)
    said = "3 classes: setosa (30), versicolor (30), virginica (30)"
    assert dict(result.data_facts())["classes"] == said
    assert (result.W.shape, result.b.shape) == ((2, 2, 4, 3), (2, 2, 3))
    assert result.score is not None
    assert result.score[0] == "held-out accuracy"
    assert result.score[1].shape == (2, 2)
    assert "log loss" in result.curves().quantity
    assert "held-out loss" in result.suggestion().reason
    assert result.r2 is None


def test_two_classes_are_logistic_and_the_second_is_1() -> None:
    result = swept(flowers(classes=2))
    assert isinstance(result.loss, Logistic)
    assert dict(result.data_facts())["classes"].endswith("versicolor is 1")
    assert result.W.shape == (1, 2, 4)
    model = result.model(0.5)
    X = flowers(classes=2).drop("kind").to_numpy()
    np.testing.assert_array_equal(
        model.predict(X) == "versicolor", model.probabilities(X)[:, 1] > 0.5
    )
    assert set(model.as_dict()) == {*(f"length_{j}" for j in range(4)), "(bias)"}


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("standardize", [True, False])
def test_the_model_is_in_the_units_of_the_user(classes: int, standardize: bool) -> None:
    frame = flowers(classes=classes)
    result = swept(frame, standardize=standardize, val=0.3)
    X, kind = frame.drop("kind").to_numpy(), frame["kind"].to_numpy()
    s, k = result.lane(0.5)
    model = result.model(0.5)
    p = model.probabilities(X)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    rows = len(kind)
    codes = np.array([model.classes.index(name) for name in kind])
    every = -np.log(p[np.arange(rows), codes]).sum()
    n, held_out = result.data.n, result.data.held_out
    assert result.val_losses is not None
    expected = n * result.losses[s, k, -1] + held_out * result.val_losses[s, k, -1]
    np.testing.assert_allclose(every, expected, rtol=1e-9)
    right = (model.predict(X) == kind).sum()
    measured = result.metrics
    expected = n * measured["accuracy"][s, k, -1] + held_out * measured["val_accuracy"][s, k, -1]
    np.testing.assert_allclose(right, expected)


def test_every_class_has_its_share_of_the_held_out_rows() -> None:
    y = np.repeat(["a", "b"], [90, 10])
    X = np.random.default_rng(0).normal(size=(100, 2))
    data = learnrate.sweep(X, y, lrs=[0.1], val=0.2).data
    assert data.y_val is not None
    np.testing.assert_array_equal(np.bincount(data.y_val), [18, 2])


@pytest.mark.parametrize(
    "y",
    [np.array(["u", "v"] * 20), np.array([True, False] * 20), np.array(["u", "v"] * 20, object)],
)
def test_arrays_of_texts_and_truth_values_are_classes(y: Array) -> None:
    X = np.random.default_rng(0).normal(size=(40, 2))
    result = learnrate.sweep(X, y, lrs=[0.1])
    assert len(result.data.classes) == 2
    assert result.config.loss == "logistic"


def test_numbers_are_classes_where_the_loss_says_so() -> None:
    X = np.random.default_rng(0).normal(size=(40, 2))
    y = np.arange(40) % 4 + 3
    assert learnrate.sweep(X, y, lrs=[0.1]).config.loss == "squared"
    result = learnrate.sweep(X, y, lrs=[0.1], loss="softmax")
    assert result.data.classes == ("3", "4", "5", "6")
    assert result.model(0.1).predict(X)[0] in result.data.classes


def test_a_target_of_0_and_1_is_a_number_with_a_remark() -> None:
    frame = pl.DataFrame({"a": np.arange(40) % 7, "sold": np.arange(40) % 2})
    result = learnrate.sweep(frame, target="sold", lrs=[0.1])
    assert result.config.loss == "squared"
    assert "for classes choose the loss logistic" in " ".join(result.remarks())


@pytest.mark.parametrize(
    ("kinds", "words"),
    [
        (["a"] * 20, "at least 2 classes"),
        (["a"] * 10 + ["b"] * 9 + ["c"], "at least 2 rows. Got 1 of 'c'"),
        (["a"] * 10 + ["b"] * 8 + ["c", "d"], "Got 1 of 'c', 'd'; leave such rows out"),
        ([f"note {i}" for i in range(20)], "Got 20 values of which 20 come once; choose another"),
        ([f"k{i // 2}" for i in range(2004)], "at most 1,000 classes"),
        ([None] * 20, "must have values"),
    ],
)
def test_targets_that_cannot_be_learned(kinds: list[Any], words: str) -> None:
    frame = pl.DataFrame(
        {"a": np.arange(len(kinds)) % 11, "kind": pl.Series(kinds, dtype=pl.String)}
    )
    with pytest.raises(DataError, match=words):
        learnrate.sweep(frame, target="kind", lrs=[0.1], loss="softmax")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"loss": "hinge"}, "loss must be one of squared, huber, logistic, softmax, poisson"),
        ({"loss": "logistic"}, "must hold 2 classes. Got 3 instead; use softmax"),
        ({"loss": "squared"}, "learn them as classes with loss='softmax'"),
        ({"engine": "gram"}, "engine must be auto or one that can train this. Got 'gram'"),
        ({"engine": "fused", "optimizer": "adam"}, "knows SGD.* and the optimizer here is adam"),
        ({"optimizer": "adm"}, "Did you mean 'adam'"),
        ({"optimizer": np.ones(3)}, "optimizer must be one of sgd"),
        ({"optimizer": learnrate.Optimizer("sgd", 5)}, "must be a mapping"),  # type: ignore[arg-type]
        (
            {"optimizer": learnrate.Optimizer("adam", momentum=0.9)},
            "momentum must go with an optimizer that has it",
        ),
        (
            {"optimizer": learnrate.Optimizer("adam", {"beta": 1})},
            "optimizer adam must be one that it has. Got 'beta'",
        ),
        (
            {"optimizer": learnrate.Optimizer("sgd", {"momentum": 0.9}, momentum=0.5)},
            "momentum must be given once",
        ),
    ],
)
def test_options_that_cannot_be(settings: dict[str, Any], words: str) -> None:
    with pytest.raises((OptionError, DataError), match=words):
        swept(**settings)


def test_counts_below_0_are_refused() -> None:
    X = np.random.default_rng(0).normal(size=(40, 2))
    with pytest.raises(DataError, match="counts, 0 or more"):
        learnrate.sweep(X, X[:, 0], lrs=[0.1], loss="poisson")


def test_huber_forgets_what_lies_far_out() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 2))
    y = X @ [2.0, -1.0] + 0.1 * rng.normal(size=300)
    y[::10] += 100
    settings: dict[str, Any] = {"lrs": [0.05], "epochs": 30, "val": 0.2}
    huber = learnrate.sweep(X, y, loss="huber", **settings)
    squared = learnrate.sweep(X, y, **settings)
    assert np.abs(huber.model(0.05).b) < 1 < np.abs(squared.model(0.05).b)
    assert huber.r2 is not None
    assert huber.curves().quantity.startswith("mean Huber loss, δ = ")
    assert set(huber.metrics) == {"r2", "val_r2"}


def test_rates_that_do_not_settle_give_no_warning_of_overflow() -> None:
    """With counts that the features say nothing of, the theory meets rates at which its numbers overflow."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(100, 2)), rng.poisson(3, 100)
    result = learnrate.sweep(X, y, loss="poisson", lrs=[0.1, 0.3, 1, 3], batch_size=5)
    assert result.verdict_sentences()
    assert result.as_dict()


def test_poisson_predicts_means() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 2))
    y = rng.poisson(np.exp(0.5 + X @ [0.6, -0.4]))
    result = learnrate.sweep(X, y, loss="poisson", epochs=20, val=0.2)
    model = result.model()
    np.testing.assert_allclose([*model.w, model.b], [0.6, -0.4, 0.5], atol=0.15)
    np.testing.assert_allclose(model.predict(X).mean(), y.mean(), rtol=0.1)
    assert np.nanmax(result.metrics["val_d2"]) > 0.2


def test_optimizers_of_the_linear_model() -> None:
    X, y = learnrate.note_data()
    by_name = learnrate.sweep(X, y, optimizer="momentum", lrs=[0.01])
    short = learnrate.sweep(X, y, optimizer=learnrate.SGD(momentum=0.9), lrs=[0.01])
    assert by_name.config == short.config
    np.testing.assert_array_equal(by_name.losses, short.losses)
    adam = learnrate.sweep(X, y, optimizer=learnrate.Optimizer("adam", {"betas": (0.8, 0.99)}))
    assert adam.engine == "rows"
    assert adam.suggestion().lr is not None
    assert adam.losses[0, :, -1].min() < 1e-3 * adam.losses[0, 0, 0]
    assert adam.limit is None
    assert "not for adam" in (adam.prediction.why_not or "")
    assert "optimizer=learnrate.Optimizer('adam', options={'betas': (0.8, 0.99)})" in adam.call


@pytest.mark.parametrize("loss", [None, "huber"])
def test_auto_finds_a_rate(loss: str | None) -> None:
    frame = flowers(150)
    if loss:
        frame = frame.drop("kind").rename({"length_3": "kind"})
    result = swept(frame, lrs="auto", epochs=10, loss=loss)
    best = result.suggestion().lr
    assert best is not None
    assert result.lrs.min() < best < result.lrs.max()


def test_a_checkpoint_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"optimizer": "adam", "val": 0.2, "seeds": 2, "epochs": 3}
    whole = swept(**settings)
    stop = learnrate.Monitor(on_epoch=_stop_after(3))
    with pytest.raises(learnrate.SweepInterrupted):
        swept(**settings, checkpoint=learnrate.Checkpoint(tmp_path, every=0), monitor=stop)
    resumed = swept(**settings, checkpoint=tmp_path)
    np.testing.assert_array_equal(resumed.losses, whole.losses)
    np.testing.assert_array_equal(resumed.W, whole.W)
    np.testing.assert_array_equal(resumed.metrics["val_accuracy"], whole.metrics["val_accuracy"])
    with pytest.raises(OptionError, match="optimizer is adam there and sgd here"):
        swept(**{**settings, "optimizer": "sgd"}, checkpoint=tmp_path)


def _stop_after(epochs: int) -> Any:
    def on_epoch(done: int, total: int) -> None:
        if done == epochs:
            raise KeyboardInterrupt

    return on_epoch


def test_a_table_larger_than_memory(tmp_path: Path) -> None:
    flowers(400).write_csv(tmp_path / "flowers.csv")
    settings: dict[str, Any] = {"val": 0.2, "optimizer": "adam", "lrs": [0.01, 0.1]}
    stored = swept(
        str(tmp_path / "flowers.csv"),
        memory=learnrate.OutOfCore("16MB", block_size=100, cache=tmp_path / "cache"),
        **settings,
    )
    kept = swept(
        str(tmp_path / "flowers.csv"), memory=learnrate.OutOfCore(block_size=100), **settings
    )
    np.testing.assert_allclose(stored.losses, kept.losses, rtol=1e-9)
    np.testing.assert_allclose(stored.metrics["val_accuracy"], kept.metrics["val_accuracy"])
    assert stored.data.classes == ("setosa", "versicolor", "virginica")


def test_threads_change_nothing() -> None:
    one, two = (swept(seeds=3, threads=threads) for threads in (1, 2))
    np.testing.assert_array_equal(one.losses, two.losses)


@pytest.mark.parametrize("engine", ["reference", "rows", "torch"])
def test_every_engine_finds_the_same(engine: str) -> None:
    ours, other = swept(engine=engine, val=0.2), swept(val=0.2)
    np.testing.assert_allclose(ours.losses, other.losses, rtol=1e-9)
    np.testing.assert_allclose(ours.metrics["val_accuracy"], other.metrics["val_accuracy"])


@pytest.mark.extra
def test_what_is_saved(tmp_path: Path) -> None:
    result = swept(val=0.2)
    for name in ("a.png", "a.html", "a.csv", "a.json", "a.parquet"):
        assert result.save(tmp_path / name).stat().st_size > 0
    document = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    lane = document["lanes"][0]
    assert list(lane["weights"]) == list(lane["bias"]) == ["setosa", "versicolor", "virginica"]
    assert len(lane["metrics"]["val_accuracy"]) == 5
    assert document["data"]["classes"] == {"setosa": 30, "versicolor": 30, "virginica": 30}
    assert document["config"]["loss"] == "softmax"
    frame = result.to_frame()
    assert {"accuracy", "val_accuracy", "val_loss"} <= set(frame.columns)
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert "held-out accuracy" in page
    assert "3 classes" in page
    assert dict(result.data_facts())["loss"] == "log loss"
    assert dict(swept(optimizer="adam").data_facts())["optimizer"] == "adam"


def test_a_bounded_gradient_swings_and_does_not_diverge() -> None:
    result = swept(lrs=[1e3], epochs=1, batch_size=1)
    assert not np.isinf(result.losses).any()
    if result.losses[0, 0, -1] > result.losses[0, 0, 0]:
        assert result.sentences == ("swings: ended above its start",)


def test_what_is_said_before_training() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3))
    y = X[:, 0] + rng.logistic(size=200) > 0
    result = learnrate.sweep(X, y, batch_size=8, epochs=5)
    verdicts = result.verdicts
    assert verdicts is not None
    assert result.limit is not None
    assert list(dict.fromkeys(verdicts)) == ["proved safe", "settles", "will not settle"]
    assert (np.array(verdicts) == "will not settle").tolist() == (
        result.lrs > result.limit
    ).tolist()
    assert result.floors is not None
    assert (np.diff(result.floors) > 0).all()
    assert np.isfinite(result.floors[result.lrs < result.limit]).all()
    said = " ".join(result.verdict_sentences())
    for words in ("Proved safe, whatever the start: below", "Near the optimum", "will not settle"):
        assert words in said
    arithmetic = result.prediction.arithmetic(0.1)
    assert arithmetic[-1] == "0.1: proved safe."
    assert any("mean-square limit there" in line for line in arithmetic)


def test_classes_that_can_be_told_apart_have_no_limit() -> None:
    X = np.random.default_rng(0).normal(size=(60, 2))
    result = learnrate.sweep(X, np.where(X[:, 0] > 0, "a", "b"), epochs=5)
    assert result.limit is None
    assert result.verdicts is None
    assert "no least value and no limit" in " ".join(result.verdict_sentences())
    assert "no optimum" in result.prediction.arithmetic(0.1)[-1]
    decayed = learnrate.sweep(X, X[:, 0] > 0, epochs=5, optimizer=learnrate.SGD(weight_decay=0.01))
    assert decayed.limit is not None


def test_a_proved_safe_rate_is_safe_from_far_away() -> None:
    """Features of 100: the least safe rate still brings the loss down from where all answers are wrong."""
    rng = np.random.default_rng(0)
    X = 100 * rng.normal(size=(100, 2))
    y = X[:, 0] / 100 + rng.logistic(size=100) > 0
    result = learnrate.sweep(X, y, epochs=30, batch_size=5)
    safe = np.array(result.verdicts) == "proved safe"
    assert safe.any()
    assert (result.losses[0, safe, -1] <= 1.05 * result.losses[0, safe, 0]).all()
