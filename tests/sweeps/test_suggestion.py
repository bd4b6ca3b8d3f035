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
