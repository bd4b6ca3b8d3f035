"""Every statement on tables as people have them; half of the tables were put aside until the end."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.theory_real import SAMPLINGS, measured
from tests.theory.tables import ASIDE, TABLES

QUICK = ("rare levels", "raw incomes", "short last minibatch")


@pytest.mark.parametrize("name", QUICK)
def test_statements(name: str) -> None:
    holds(name, "shuffle")


@pytest.mark.slow
@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize("name", [*TABLES, *ASIDE])
def test_every_statement_on_every_table(name: str, sampling: str) -> None:
    holds(name, sampling)


def holds(name: str, sampling: str) -> None:
    """Each statement is within what is claimed, or not made."""
    X, y, B = (TABLES | ASIDE)[name]()
    missed = {
        statement: value
        for statement, value, within in measured(X, y, B, sampling)
        if not within and not np.isnan(value)
    }
    assert not missed
