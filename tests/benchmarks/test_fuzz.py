"""Bad input by the hundred, with the script that makes the figures of docs/reliability.md."""

import random

import pytest

from benchmarks.reliability.corrupt import TABLES, mutate
from benchmarks.reliability.fuzz import run, run_case


def test_a_case_is_the_same_one_every_time() -> None:
    for make in TABLES.values():
        first, second = (mutate(random.Random(7), make(random.Random(7))) for _ in range(2))
        assert first == second


def test_a_traceback_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check can fail: an engine that breaks is seen."""

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("on purpose")

    monkeypatch.setattr("learnrate.sweeps.run.run_sweep", broken)
    ends = [run_case(case) for case in range(40)]
    faults = [end for end in ends if end["ended"] == "fault"]
    assert faults
    assert all("on purpose" in fault["why"] for fault in faults)


@pytest.mark.slow
def test_hundreds_of_bad_inputs_end_in_a_result_or_one_line() -> None:
    counts = run(50_000, 500)
    assert counts["faults"] == 0
    assert counts["cases"] == 500
