from __future__ import annotations

import numpy as np
import pytest

from learnrate.book.steps import Explanation, explain

HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "[bold red]面积[/bold red]",
    "a\x1b[31m\n\x00\"&'`]]>{x}",
)
"""Names of columns that would be markup, code or control codes if they were not taken for text."""


def hostile_frame() -> object:
    import polars as pl

    rng = np.random.default_rng(0)
    table = {name: rng.normal(size=50) for name in HOSTILE}
    return pl.DataFrame({**table, "<b>{{ 7 * 7 }}</b>": rng.normal(size=50)})


@pytest.fixture(scope="session")
def note() -> Explanation:
    """The note's first step."""
    return explain("note")


@pytest.fixture(scope="session")
def large() -> Explanation:
    """A minibatch of 32 rows of 40 features."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(64, 40))
    return explain(X, X @ rng.normal(size=40), batch_size=32)


@pytest.fixture(scope="session")
def hostile() -> Explanation:
    """A step on columns with hostile names."""
    return explain(hostile_frame(), target="<b>{{ 7 * 7 }}</b>")
