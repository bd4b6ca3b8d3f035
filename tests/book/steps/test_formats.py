from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learnrate.book.steps.formats import clean, clip, formats_together


@pytest.mark.parametrize(
    ("numbers", "texts"),
    [
        ([1.0, 1.0], ["1", "1"]),
        ([0.5, -12.25], ["0.50", "-12.25"]),
        ([0.0012573, -0.0013], ["0.001257", "-0.001300"]),
        ([49.97123, 2.5], ["49.97", "2.50"]),
        ([123456.7, -0.2], ["123457", "0"]),
        ([0.0, -0.0], ["0", "0"]),
        ([3e9, 1.0], ["3.000e+09", "1.000e+00"]),
        ([1.5e-8], ["1.500e-08"]),
        ([np.inf, -np.inf, np.nan, 0.25], ["∞", "-∞", "nan", "0.25"]),
        ([], []),
    ],
)
def test_numbers_are_short_and_comparable(numbers: list[float], texts: list[str]) -> None:
    assert formats_together(numbers) == [texts]


def test_arrays_formatted_together_share_their_decimals() -> None:
    old, new = formats_together([0.00126], [[12.3456]])
    assert (old, new) == (["0.00"], ["12.35"])


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=5))
def test_a_text_is_near_its_number(numbers: list[float]) -> None:
    largest = max(abs(number) for number in numbers)
    for number, text in zip(numbers, formats_together(numbers)[0], strict=True):
        assert abs(float(text) - number) <= 6e-4 * largest


def test_names_lose_what_would_break_a_line_or_a_file() -> None:
    assert clean("a\nb\x1b[31m\x00\u202e 面积") == "a b�[31m�� 面积"
    assert (
        clean("\u0645\u06cc\u200c\u062e") == "\u0645\u06cc\u200c\u062e"
    )  # Persian needs its joiner


def test_clipping_counts_wide_characters_twice() -> None:
    assert clip("area", 4) == "area"
    assert clip("areas", 4) == "are…"
    assert clip("面积价格", 8) == "面积价格"
    assert clip("面积价格", 7) == "面积价…"
    assert clip("面积价格", 6) == "面积…"
