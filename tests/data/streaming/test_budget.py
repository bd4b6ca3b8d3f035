from __future__ import annotations

import pytest

from learnrate.data.streaming.budget import batch_rows, block_rows, bytes_of, parse_memory
from learnrate.errors import OptionError


@pytest.mark.parametrize(
    ("words", "size"),
    [
        ("2GB", 2 * 10**9),
        ("500 MB", 5 * 10**8),
        ("1.5gib", 3 * 2**29),
        ("100m", 10**8),
        (2e8, 2 * 10**8),
        (10**8, 10**8),
        ("1TiB", 2**40),
    ],
)
def test_sizes(words: str | float, size: int) -> None:
    assert parse_memory(words) == size


@pytest.mark.parametrize(
    "words", ["", "much", "-1GB", "1MB", "2 XB", "inf", "nan", "1..2GB", "1e99GB"]
)
def test_other_words(words: str) -> None:
    with pytest.raises(OptionError, match="such as 500MB or 2GB"):
        parse_memory(words)


@pytest.mark.parametrize("d", [1, 20, 10_000])
def test_two_blocks_take_part_of_the_budget(d: int) -> None:
    rows = block_rows(10**8, d, 8)
    assert rows & (rows - 1) == 0
    assert 0.25e8 < bytes_of(rows, d, 8) <= 0.6e8
    assert 256 <= batch_rows(10**8, d) <= 1 << 17
