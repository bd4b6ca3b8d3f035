from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from learnrate.book.steps.abridging import Omitted, abridge


@given(st.integers(0, 40), st.integers(3, 12))
def test_abridging_leaves_out_the_middle_and_counts_it(size: int, limit: int) -> None:
    shown = abridge(list(range(size)), limit)
    assert len(shown) <= limit
    gaps = [item for item in shown if isinstance(item, Omitted)]
    kept = [item for item in shown if not isinstance(item, Omitted)]
    if size <= limit:
        assert shown == list(range(size))
        assert not gaps
    else:
        [gap] = gaps
        assert gap >= 2
        assert len(kept) + gap == size
        assert kept[0] == 0
        assert kept[-1] == size - 1
        place = next(i for i, item in enumerate(shown) if isinstance(item, Omitted))
        assert kept[:place] == list(range(place))
        assert kept[place:] == list(range(size - len(kept) + place, size))
