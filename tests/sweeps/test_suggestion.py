from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from learnrate.sweeps.suggestion import Suggestion, suggest

LRS = np.array([0.01, 0.1, 1.0])


def ask(final: list[list[float]], lrs: np.ndarray = LRS) -> Suggestion:
    values = np.array(final)
    start = np.full_like(values, 10.0)
    return suggest(lrs, values, start, horizon=3, criterion="training loss")


def test_the_lowest_final_loss_wins() -> None:
    suggestion = ask([[1.0, 0.1, 2.0]])
    assert suggestion.lr == 0.1
    assert suggestion.horizon == 3
    assert suggestion.interval == (0.1, 0.1)
    assert "3 epochs" in suggestion.reason


def test_a_rate_that_blew_up_in_any_seed_is_never_suggested() -> None:
    assert ask([[1.0, 0.5, 0.1], [1.0, 0.5, np.inf]]).lr == 0.1
    assert ask([[1.0, 0.5, 0.1], [1.0, 0.5, 11.0]]).lr == 0.1


def test_a_lucky_start_does_not_condemn_good_rates() -> None:
    """One seed of ten starts near the optimum, so every good rate ends above that start."""
    start = np.full((10, 3), 1e5)
    start[3] = 0.3
    final = np.tile([2e3, 0.5, 40.0], (10, 1)) * np.linspace(0.9, 1.1, 10)[:, None]
    suggestion = suggest(LRS, final, start, horizon=3, criterion="training loss")
    assert suggestion.lr == 0.1
    assert suggestion.interval == (0.1, 0.1)


def test_what_is_far_worse_is_never_as_good_however_the_seeds_scatter() -> None:
    rng = np.random.default_rng(0)
    final = np.exp(rng.normal(0, 3, (10, 3))) * [1.0, 1.0, 2e4] * 1e-9
    suggestion = suggest(LRS, final, np.ones((10, 3)), horizon=3, criterion="training loss")
    assert suggestion.interval is not None
    assert suggestion.interval[1] < 1.0


def test_a_low_median_with_a_bad_end_in_one_seed_is_not_the_best() -> None:
    suggestion = ask([[1.0, 0.5, 0.49], [1.0, 0.5, 0.49], [1.0, 0.5, 5.0]])
    assert suggestion.lr == 0.1
    assert suggestion.interval == (0.1, 0.1)


def test_what_is_not_known_is_no_safe_rate_beside_safe_ones() -> None:
    suggestion = with_theory([3.0, 0.21, 0.2], [3.0, 0.21, 0.1], ["safe", "safe", "not known"])
    assert suggestion.lr == 0.1
    assert with_theory([3.0, 0.4, 0.2], [3.0, 0.4, 0.1], ["not known"] * 3).lr == 1.0


def with_theory(final: list[float], expected: list[float], verdicts: list[str]) -> Suggestion:
    return suggest(
        LRS,
        np.array([final]),
        np.full((1, 3), 10.0),
        horizon=3,
        criterion="training loss",
        predicted=np.array(expected),
        verdicts=tuple(verdicts),
    )


def test_the_suggestion_is_safe_where_a_safe_rate_is_nearly_as_good() -> None:
    borderline = with_theory([3.0, 0.21, 0.2], [3.0, 0.21, 2.4e7], ["safe", "safe", "borderline"])
    assert borderline.lr == 0.1
    assert "Smallest expected training loss" in borderline.reason
    assert "1 ended lower here, at 0.2, but is not known to be safe" in borderline.reason


def test_a_rate_that_is_not_safe_is_suggested_with_the_reason_in_the_same_sentence() -> None:
    suggestion = with_theory([3.0, 2.0, 0.2], [3.0, 2.0, 2.4e7], ["safe", "safe", "borderline"])
    assert suggestion.lr == 1.0
    first = suggestion.reason.split(". ")[0]
    assert "though it is not known to be safe: no safe rate that was tried comes below 2" in first
    assert "among the rates that measured best" in first
    assert "confirms" not in suggestion.reason


def test_a_rate_at_which_nearly_every_run_grows_is_never_suggested_beside_others() -> None:
    suggestion = with_theory([3.0, 2.0, 0.2], [3.0, 2.0, np.nan], ["safe", "safe", "diverges"])
    assert suggestion.lr == 0.1
    assert "1 ended lower here, at 0.2, but is not known to be safe" in suggestion.reason
    beside = with_theory([3.0, 1.0, 0.2], [3.0, 1.0, np.nan], ["safe", "borderline", "diverges"])
    assert beside.lr == 0.1
    alone = with_theory([11.0, 12.0, 0.2], [3.0, 2.0, np.nan], ["safe", "safe", "diverges"])
    assert alone.lr == 1.0


def test_the_smallest_expected_loss_is_said_only_of_the_smallest() -> None:
    other = with_theory([0.2, 0.9, 3.0], [0.5, 0.2, 3.0], ["safe"] * 3)
    assert other.lr == 0.01
    assert "among the rates that measured best" in other.reason
    assert "10 seeds" in other.reason
    same = with_theory([0.9, 0.2, 3.0], [0.5, 0.2, 3.0], ["safe"] * 3)
    assert "among" not in same.reason
    assert "confirms it" in same.reason
    assert "10 seeds" not in same.reason


def test_where_the_expected_loss_is_not_known_the_measured_one_decides() -> None:
    suggestion = with_theory([0.2, 0.21, 3.0], [0.5, np.nan, 3.0], ["safe"] * 3)
    assert suggestion.lr == 0.01
    assert suggestion.reason.startswith("Lowest training loss")
    assert "one run decides this" in suggestion.reason
    far = with_theory([0.2, 0.21, 3.0], [0.1, 0.3, np.nan], ["safe"] * 3)
    assert "confirms it" in far.reason


def test_where_one_run_is_noise_the_theory_weighs_more() -> None:
    suggestion = with_theory([0.2, 0.24, 3.0], [0.5, 0.2, 3.0], ["safe"] * 3)
    assert suggestion.lr == 0.1
    assert suggestion.interval == (0.01, 0.1)
    assert "within 25 %" in suggestion.reason


def test_one_run_is_said_to_decide() -> None:
    assert "one run decides this" in ask([[1.0, 0.1, 2.0]]).reason
    assert "one run" not in ask([[1.0, 0.1, 2.0], [1.0, 0.1, 2.0]]).reason


def test_with_none_to_give_it_says_why() -> None:
    suggestion = ask([[np.inf, np.nan, 11.0]])
    assert suggestion.lr is None
    assert suggestion.interval is None
    assert "smaller" in suggestion.reason
    assert str(suggestion).startswith("No suggestion: every rate from 0.01 up")


def test_a_best_rate_at_the_edge_is_said_to_be_one() -> None:
    assert "largest rate tried, so a larger one" in ask([[1.0, 0.5, 0.1]]).reason
    assert "smallest rate tried, so a smaller one" in ask([[0.1, 0.5, 1.0]]).reason
    assert "tried" not in ask([[0.3, 0.1, 1.0]]).reason


def test_the_interval_is_paired_by_seed() -> None:
    # Seeds differ far more than rates do, yet 0.1 beats 0.01 in each by the same margin.
    noise = np.array([[0.0], [5.0], [2.0], [4.0]])
    clear = (noise + np.array([1.2, 1.0, 1.3])).tolist()
    assert ask(clear).interval == (0.1, 0.1)
    # And where the differences change sign, the rates are alike.
    mixed = [[1.1, 1.0, 3.0], [1.0, 1.1, 3.0], [1.2, 1.1, 3.0], [1.0, 1.05, 3.0]]
    assert ask(mixed).interval == (0.01, 0.1)


@given(arrays(np.float64, (3, 3), elements=st.floats(0, 1e6)))
def test_the_suggestion_is_one_of_the_rates_inside_its_interval(final: np.ndarray) -> None:
    suggestion = ask(final.tolist())
    if suggestion.lr is None:
        assert ((final > 10).any(axis=0)).all()
    else:
        assert suggestion.lr in LRS
        assert suggestion.interval is not None
        assert suggestion.interval[0] <= suggestion.lr <= suggestion.interval[1]
