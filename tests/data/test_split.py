from __future__ import annotations

from unittest import mock

import numpy as np
import pytest

from learnrate.data.split import Split, split_rows
from learnrate.errors import OptionError


@pytest.mark.parametrize("n", [2, 10, 1001])
def test_rows_are_those_of_memory(n: int) -> None:
    split = Split(n, 0.3, 5)
    known = split_rows(n, 0.3, 5)
    assert known is not None
    assert (np.flatnonzero(split.rows(0, n)) == known[1]).all()
    assert (np.flatnonzero(~split.rows(0, n)) == known[0]).all()


@pytest.mark.parametrize("n", [50, 64, 1000])
def test_more_rows_are_drawn_stretch_by_stretch(n: int) -> None:
    with (
        mock.patch("learnrate.data.split._IN_MEMORY", 1),
        mock.patch("learnrate.data.split._CHUNK", 16),
    ):
        split = Split(n, 0.25, 3)
        whole = split.rows(0, n)
        assert whole.sum() == split.held_out == round(0.25 * n)
        pieces = [split.rows(first, min(7, n - first)) for first in range(0, n, 7)]
        assert (np.concatenate(pieces) == whole).all()
        shares = np.add.reduceat(whole, np.arange(0, n, 16))
        assert shares[:-1].max() - shares[:-1].min() <= 1
        assert (Split(n, 0.25, 4).rows(0, n) != whole).any()


def test_a_share_that_leaves_nothing_is_refused() -> None:
    with pytest.raises(OptionError, match="leave at least 1 row"):
        Split(3, 0.01, 0)
