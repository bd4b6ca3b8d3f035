"""Every engine on tables as people have them: what no sample of rows tells, and what is nearly dependent."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from learnrate.data.order import Sampling
from learnrate.linear.choose import ENGINES
from learnrate.linear.problem import LinearProblem
from tests.contract.tables import COLUMNS, LABELS, prepared, table
from tests.contract.test_engines import assert_equals_oracle, bounded

FAST = [name for name in ENGINES if name != "reference"]
STEPS = 40
"""Of an epoch at most, so that the plain loop is done in time."""


class Case(NamedTuple):
    """What a problem is made of: columns and labels by name, rows, and how it is trained."""

    kinds: tuple[str, ...]
    label: str
    n: int
    batch_size: int
    standardize: bool = True
    seed: int = 0
    lanes: int = 3
    options: Mapping[str, Any] = MappingProxyType({})

    def problem(self, dtype: str) -> LinearProblem:
        """Its rates go up to what is stable on the worst minibatch."""
        X, y = table(self.kinds, self.label, self.n, self.seed)
        data = prepared(X, y, dtype, standardize=self.standardize)
        squares = np.sort((data.X_train.astype(float) ** 2).sum(axis=1) + 1)
        limit = self.batch_size / squares[-self.batch_size :].sum()
        lrs = limit * np.geomspace(0.01, 1.0, self.lanes)
        return LinearProblem(
            *(data.X_train, data.y_train, lrs, self.batch_size, 2), seed=self.seed, **self.options
        )


@st.composite
def cases(draw: st.DrawFn, max_n: int = 20_000) -> Case:
    """Any table, prepared as the front does, with any options."""
    n = draw(st.integers(2, 300) | st.integers(2, max_n))
    kinds = st.lists(st.sampled_from(sorted(COLUMNS)), min_size=1, max_size=3, unique=True)
    options = {
        "momentum": draw(st.sampled_from([0.0, 0.0, 0.9])),
        "weight_decay": draw(st.sampled_from([0.0, 0.0, 0.1])),
        "sampling": draw(st.sampled_from(list(Sampling))),
    }
    return Case(
        tuple(draw(kinds)),
        draw(st.sampled_from(LABELS)),
        n,
        draw(st.integers(-(-n // STEPS), n)),
        draw(st.sampled_from([True, True, False])),
        draw(st.integers(0, 9)),
        draw(st.integers(1, 3)),
        options,
    )


both_types = pytest.mark.parametrize("dtype", ["float64", "float32"])
fast_engines = pytest.mark.parametrize("name", FAST)


@fast_engines
@both_types
@settings(bounded, max_examples=12, phases=[Phase.explicit, Phase.generate])
@given(case=cases())
def test_equals_the_plain_loop_on_tables(name: str, dtype: str, case: Case) -> None:
    assert_equals_oracle(name, case.problem(dtype))


@pytest.mark.slow
@pytest.mark.parametrize("name", ENGINES)
@both_types
@settings(bounded, max_examples=75, phases=[Phase.explicit, Phase.generate])
@given(case=cases())
def test_equals_the_plain_loop_on_many_tables(name: str, dtype: str, case: Case) -> None:
    if (name, dtype) != ("reference", "float32"):
        assert_equals_oracle(name, case.problem(dtype))
