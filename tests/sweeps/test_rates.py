from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learnrate.errors import OptionError
from learnrate.sweeps.rates import LIMIT, arange, check_rates, logspace, parse_rates


def test_the_notes_grid_is_the_floats_a_person_would_write() -> None:
    assert arange(0.01, 0.05, 0.01).tolist() == [0.01, 0.02, 0.03, 0.04]
    np.testing.assert_allclose(arange(0.01, 0.05, 0.01), np.arange(0.01, 0.05, 0.01))


def test_the_stop_is_excluded_even_where_numpy_includes_it() -> None:
    assert len(np.arange(1, 1.3, 0.1)) == 4  # numpy's surprise: 1.3 by rounding
    assert arange(1, 1.3, 0.1).tolist() == [1.0, 1.1, 1.2]


@given(st.integers(1, 50), st.integers(1, 50), st.integers(1, 20))
def test_arange_counts_in_decimals(start: int, length: int, step: int) -> None:
    rates = arange(start / 100, (start + length) / 100, step / 100)
    assert rates.tolist() == [i / 100 for i in range(start, start + length, step)]


def test_logspace_has_both_ends_and_equal_ratios() -> None:
    rates = logspace(1e-4, 1.0, 25)
    assert rates[0] == 1e-4
    assert rates[-1] == 1.0
    np.testing.assert_allclose(rates[1:] / rates[:-1], 10 ** (4 / 24))


@pytest.mark.parametrize(
    ("text", "rates"),
    [
        ("0.01,0.02", [0.01, 0.02]),
        (" 0.1 , 0.2, ", [0.1, 0.2]),
        ("0.5", [0.5]),
        ("0.01:0.05:0.01", [0.01, 0.02, 0.03, 0.04]),
        ("1e-3:4e-3:1e-3", [0.001, 0.002, 0.003]),
        ("log:1:100:3", [1.0, 10.0, 100.0]),
        ("0.2,0.1,0.2", [0.2, 0.1]),  # each lane once, in the order given
    ],
)
def test_forms_of_the_command_line(text: str, rates: list[float]) -> None:
    parsed = parse_rates(text)
    assert parsed is not None
    np.testing.assert_allclose(parsed, rates, rtol=1e-14)


def test_auto_is_left_to_the_data() -> None:
    assert parse_rates("auto") is None
    assert parse_rates("AUTO") is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "at least one"),
        (",", "at least one"),
        ("-0.1", "above 0"),
        ("0.1,-2", "-2"),
        ("nan", "nan"),
        ("0.1,inf", "inf"),
        ("0", "above 0"),
        ("fast", "'fast'"),
        ("1:2", "'1:2'"),
        ("0.5:0.1:0.1", "the stop is excluded"),
        ("0.1:0.5:0", "step above 0"),
        ("0.1:0.5:-1", "step above 0"),
        ("0.1:nan:0.1", "finite"),
        ("0.1:x:0.1", "numbers"),
        ("0:1:1e-9", "1,000,000,000"),
        ("log:0:1:5", "positive"),
        ("log:1:0.1:5", "swap"),
        ("log:1e-3:1:0", "at least 1"),
        ("log:1e-3:1:2000000", "2,000,000"),
        ("log:1e-3:1:2.5", "log:1e-3:1:2.5"),
    ],
)
def test_bad_grids_say_what_came(text: str, says: str) -> None:
    with pytest.raises(OptionError, match=says.replace("(", r"\(")):
        parse_rates(text)


def test_a_huge_grid_is_refused_before_it_is_made() -> None:
    with pytest.raises(OptionError, match="at most"):
        arange(0, 1e12, 1)
    with pytest.raises(OptionError, match="at most"):
        check_rates(np.linspace(0.1, 1, LIMIT + 1))


@pytest.mark.parametrize("bad", [["a"], [[0.1], [0.2]], object()])
def test_what_is_no_list_of_numbers_is_refused(bad: object) -> None:
    with pytest.raises(OptionError, match="lrs must be"):
        check_rates(bad)  # type: ignore[arg-type]


def test_one_number_is_a_grid_of_one() -> None:
    assert check_rates(0.1).tolist() == [0.1]
