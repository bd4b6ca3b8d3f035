"""A sweep of linear models says before training what it then measures."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

import learnrate
from learnrate.errors import DataError, OptionError
from learnrate.sweeps.linear import LinearSweepResult
from learnrate.sweeps.outcomes import Outcome


@pytest.fixture(scope="module")
def note() -> LinearSweepResult:
    X, y = learnrate.note_data()
    return learnrate.sweep(X, y, lrs=[0.01, 0.02, 0.03, 0.04, 1.5, 2.5], batch_size=10, epochs=5)


def test_the_limits_are_those_of_the_theory(note: LinearSweepResult) -> None:
    """About the population's: 1.47 on average over runs, 1.8 for a typical one (design, section 6)."""
    assert note.limit == pytest.approx(1.45, rel=0.08)
    assert note.typical_limit == pytest.approx(1.8, rel=0.05)
    assert note.verdicts == ("safe", "safe", "safe", "safe", "borderline", "diverges")


def test_what_was_predicted_is_what_happens(note: LinearSweepResult) -> None:
    assert note.predicted is not None
    np.testing.assert_allclose(note.losses[0, :4], note.predicted[:4], rtol=0.1)
    assert note.outcomes[0][5].diverges
    assert not any(outcome.diverges for outcome in note.outcomes[0][:5])
    assert note.outcomes[0][3] is Outcome.AT_FLOOR


def test_auto_shows_slow_best_borderline_and_diverging_rates() -> None:
    result = learnrate.sweep("diabetes", epochs=10)
    assert result.verdicts is not None
    assert set(result.verdicts) == {"safe", "borderline", "diverges"}
    assert result.limit is not None
    assert result.lrs[0] == pytest.approx(result.limit / 1000, rel=0.01)
    assert result.sentences[0].startswith("still falling")
    best = result.suggestion().lr
    assert best is not None
    assert result.lrs[0] < best < result.limit
    assert result.outcomes[0][-1].diverges
    assert all(float(f"{lr:.3g}") == lr for lr in result.lrs)


def test_the_suggestion_hardly_moves_with_the_seed() -> None:
    X, y = learnrate.note_data()
    lrs = learnrate.logspace(0.002, 1.2, 15)
    chosen = {learnrate.sweep(X, y, lrs=lrs, seed=seed).suggestion().lr for seed in range(8)}
    assert len(chosen) <= 2
    same = [learnrate.sweep(X, y, lrs=lrs, seed=3).suggestion() for _ in range(2)]
    assert same[0] == same[1]


def test_the_suggestion_knows_its_horizon() -> None:
    X, y = learnrate.note_data()
    lrs = learnrate.logspace(0.002, 1.2, 25)
    short = learnrate.sweep(X, y, lrs=lrs, epochs=1).suggestion()
    long = learnrate.sweep(X, y, lrs=lrs, epochs=30).suggestion()
    assert (short.horizon, long.horizon) == (1, 30)
    assert short.lr is not None
    assert long.lr is not None
    assert long.lr < short.lr


@pytest.mark.parametrize("schedule", ["cosine", "step", "inverse-time"])
def test_nothing_is_predicted_for_a_rate_that_changes(schedule: str) -> None:
    X, y = learnrate.note_data()
    result = learnrate.sweep(X, y, lrs=[0.01, 3.0], schedule=schedule)
    assert result.theory is None
    assert result.limit is None
    assert result.predicted is None
    assert result.verdicts is None
    assert result.suggestion().lr is not None  # even 3 can do, once it has been brought down


def test_momentum_has_no_mean_square_limit_and_is_never_called_safe() -> None:
    X, y = learnrate.note_data()
    result = learnrate.sweep(X, y, lrs=[0.001, 5.0], optimizer=learnrate.SGD(momentum=0.9))
    assert result.limit is None
    assert result.predicted is None
    assert result.verdicts is not None
    assert result.verdicts[1] == "diverges"
    assert result.outcomes[0][1].diverges
    auto = learnrate.sweep(X, y, lrs="auto", optimizer=learnrate.SGD(momentum=0.9))
    assert auto.suggestion().lr is not None


def test_frames_of_either_kind_and_arrays_agree() -> None:
    X, y = learnrate.note_data(200)
    frame = pl.DataFrame({"a": X[:, 0], "b": X[:, 1], "y": y})
    plain = learnrate.sweep(X, y, lrs=[0.05], standardize=True)
    for table in (frame, frame.to_pandas()):
        result = learnrate.sweep(table, target="y", lrs=[0.05])
        np.testing.assert_array_equal(result.losses, plain.losses)
        assert result.data.feature_names == ("a", "b")


def test_predictions_are_in_the_users_units() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal([50, -3], [10, 0.1], (500, 2))
    y = X @ [0.5, 20] + 7
    result = learnrate.sweep(X, y, lrs=[0.1], epochs=40, standardize=True)
    model = result.model()
    np.testing.assert_allclose(model.w, [0.5, 20], rtol=1e-6)
    assert model.b == pytest.approx(7, rel=1e-4)
    np.testing.assert_allclose(model.predict(X), y, rtol=1e-6)
    assert list(model.as_dict()) == ["0", "1", "(bias)"]
    with pytest.raises(DataError, match=r"\(m, 2\)"):
        model.predict(X[:, :1])


def test_a_lane_that_was_not_trained_is_named(note: LinearSweepResult) -> None:
    with pytest.raises(OptionError, match=r"nearest rate is 0\.04"):
        note.model(0.05)
    with pytest.raises(OptionError, match="seeds run from 0 to 0"):
        note.model(0.04, seed=3)


def test_held_out_loss_and_r2() -> None:
    X, y = learnrate.note_data()
    result = learnrate.sweep(X, y, lrs=[0.01, 0.05], epochs=4, val=0.25, seeds=3)
    assert result.data.X_val is not None
    assert result.data.y_val is not None
    assert result.val_losses is not None
    assert result.r2 is not None
    assert len(result.data.X_val) == 250
    w, b = result.model(0.05, seed=2).w, result.model(0.05, seed=2).b
    error = result.data.X_val @ w + b - result.data.y_val
    assert result.val_losses[2, 1, -1] == pytest.approx(np.mean(error**2) / 2)
    assert result.r2[2, 1] == pytest.approx(1 - np.mean(error**2) / np.var(result.data.y_val))
    assert result.suggestion().criterion == "held-out loss"


def test_labels_are_needed_and_so_is_sense() -> None:
    X, y = learnrate.note_data(50)
    with pytest.raises(OptionError, match="Labels must come with"):
        learnrate.sweep(X)
    with pytest.raises(OptionError, match="separate labels"):
        learnrate.sweep(X, y, target="price")
    with pytest.raises(OptionError, match="batch_size"):
        learnrate.sweep(X, y, lrs=[0.1], batch_size=51)
    assert learnrate.sweep(X[:4], y[:4], lrs=[0.1]).config.batch_size == 4


def test_a_result_says_what_it_is_in_a_line(note: LinearSweepResult) -> None:
    assert repr(note).startswith("<LinearSweepResult: 6 learning rates × 1 seed, 5 epochs")
    assert repr(note).count("\n") == 0


def test_a_tidy_frame(note: LinearSweepResult) -> None:
    frame = note.to_frame()
    assert frame.columns == ["lr", "seed", "epoch", "loss", "outcome"]
    row = frame.filter((pl.col("lr") == 0.02) & (pl.col("epoch") == 3))
    assert row["loss"][0] == note.losses[0, 1, 3]
    assert frame.filter(pl.col("epoch") == 0)["loss"].n_unique() == 1  # common random numbers


def test_both_pictures_show_limit_prediction_and_suggestion(note: LinearSweepResult) -> None:
    from matplotlib.figure import Figure

    ax = note.plot(Figure().add_subplot())
    legend = ax.get_legend()
    assert legend is not None
    assert legend.get_title().get_text().startswith("safe below lr=1.4")
    labels = [text.get_text() for text in legend.get_texts()]
    assert labels[:1] == ["lr=0.01"]
    assert [label for label in labels if "suggested" in label] == ["lr=0.03 suggested"]
    assert "lr=2.5 diverges" in labels
    assert "predicted" in labels
    ax = note.plot_rates(Figure().add_subplot())
    legend = ax.get_legend()
    assert legend is not None
    text = " ".join(text.get_text() for text in legend.get_texts())
    for word in ("measured", "predicted", "floor", "limit (mean)", "typical run", "suggested"):
        assert word in text


def test_numbers_too_large_for_the_theory_leave_it_out() -> None:
    """Training them is lawful; only what needs fourth moments is not known."""
    X, y = learnrate.note_data(50)
    result = learnrate.sweep(X, y * 1e200, lrs=[0.1], batch_size=10)
    assert result.theory is None
    assert result.limit is None
    assert str(result.suggestion())


def test_a_weight_decay_too_large_for_the_theory_leaves_it_out() -> None:
    result = learnrate.sweep(
        *learnrate.note_data(50), lrs=[0.1], optimizer=learnrate.SGD(weight_decay=1e308)
    )
    assert result.theory is None
    assert str(result.suggestion())


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("momentum", b"0.5"),
        ("momentum", np.array([0.1, 0.2])),
        ("momentum", float("nan")),
        ("weight_decay", np.ones((20, 3), dtype=bool)),
        ("weight_decay", float("inf")),
        ("weight_decay", "0"),
        ("epochs", np.array([1, 2])),
        ("seed", 0.5),
        ("schedule", 0.5),
        ("schedule", lambda: 1.0),
        ("schedule", lambda step: "x"),
        ("engine", lambda step: 1.0),
        ("lrs", 10**400),
    ],
)
def test_an_option_of_the_wrong_kind_is_one_clear_line(option: str, value: object) -> None:
    given: dict[str, Any] = {option: value}
    if option in ("momentum", "weight_decay"):
        given = {"optimizer": learnrate.SGD(**given)}
    with pytest.raises(OptionError) as caught:
        learnrate.sweep(*learnrate.note_data(20), **given)
    assert option in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_sweep_and_its_result_share_what_was_worked_out() -> None:
    result = learnrate.sweep(*learnrate.note_data())
    assert result.theory is not None
    assert result.theory is result.analysed
    asked = learnrate.sweep(*learnrate.note_data(), lrs=[0.1])
    assert asked.analysed is None
    assert asked.theory is not None
    assert asked.theory.limit == result.theory.limit


def test_rates_that_no_limit_decides_are_not_called_unsafe() -> None:
    result = learnrate.sweep(
        "diabetes", lrs=[0.01, 0.02, 0.03, 0.04, 0.3], optimizer=learnrate.SGD(momentum=0.9)
    )
    limits, diverges, unknown = result.verdict_sentences()
    assert limits.startswith("Largest usable rate at batch size 10 with momentum 0.9: ")
    assert "for most single runs (" in limits
    assert "safe on average is not known: with momentum there is no closed form" in limits
    assert diverges.startswith("0.3 diverges")
    assert unknown.startswith("4 rates up to 0.04 are below the largest rate for most single")
    alone = learnrate.sweep(
        "diabetes", lrs=[0.01], optimizer=learnrate.SGD(momentum=0.9)
    ).verdict_sentences()[-1]
    assert alone.startswith("0.01 is below the largest rate for most single runs")


def test_a_rate_that_must_diverge_is_never_at_its_floor() -> None:
    """With all examples in one minibatch a rate just beyond the limit grows slowly at first."""
    result = learnrate.sweep("diabetes", lrs=[0.1, 0.547], batch_size=442)
    assert result.verdicts == ("safe", "diverges")
    assert result.outcomes[0][1] is Outcome.UNSTEADY


@pytest.mark.parametrize(
    "options",
    [
        {"val": 0.2, "table": learnrate.Table(dates="parts"), "features": ["area", "sold"]},
        {"memory": learnrate.OutOfCore(block_size=50), "standardize": False, "lrs": [1e-6]},
        {
            "optimizer": learnrate.SGD(0.5),
            "seeds": 2,
            "sampling": "independent",
            "dtype": "float32",
        },
    ],
    ids=["held out, dates", "blocks", "momentum"],
)
def test_the_call_in_a_report_makes_the_sweep_again(options: dict[str, Any]) -> None:
    given: dict[str, Any] = {"target": "price", "missing": "mean", "lrs": [0.1, 0.02], **options}
    result = learnrate.sweep("houses", **given)
    again = eval(result.call, {"learnrate": learnrate})
    np.testing.assert_array_equal(again.losses, result.losses)
    assert again.config == result.config
