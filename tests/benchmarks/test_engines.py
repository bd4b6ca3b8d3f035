"""The benchmark of the engines runs, compares like with like, and says what it measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.engines import bars, ours, peers, rounds, tables
from benchmarks.engines.__main__ import main
from benchmarks.engines.cases import CASES, QUICK
from benchmarks.engines.contenders import Contender
from benchmarks.engines.machine import machine
from benchmarks.engines.results import Results
from benchmarks.engines.words import CHINESE, ENGLISH, PAGES
from benchmarks.pages import DOCS, put


def test_quick(capsys: pytest.CaptureFixture[str]) -> None:
    """A tiny case through everything: ours, the rounds, the file, the tables and the chart."""
    before = {page: (DOCS / page).read_bytes() for page in PAGES}
    main(["--quick"])
    printed = capsys.readouterr().out
    assert "K = 5 rates over one rate, Q" in printed
    assert "| gram, float64 |" in printed
    assert before == {page: (DOCS / page).read_bytes() for page in PAGES}


@pytest.fixture(scope="module")
def given() -> peers.Given:
    X, y = QUICK.examples()
    return peers.Given.of(QUICK, X, y, ours.truth(QUICK, X, y))


@pytest.mark.parametrize("peer", [peers.torch_columns, peers.torch_eager])
def test_a_peer_does_the_same_work(peer: Any, given: peers.Given) -> None:
    """With a short last minibatch: 7 does not divide 60."""
    deviation = peer(given).deviation()
    assert deviation is not None
    assert deviation < rounds.TOLERANCE


def test_other_work_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = Contender("wrong", lambda: np.array([1.0, 2.0]), np.array([1.0, 2.001]))
    monkeypatch.setattr(rounds, "_rows", lambda *_: iter([("wrong", lambda: wrong)]))
    with pytest.raises(ValueError, match=r"wrong on S is off by 0\.0005: not the same work"):
        rounds.measure("S", 1)


def test_a_peer_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent() -> Contender:
        raise ImportError("No module named 'jax'")

    monkeypatch.setattr(rounds, "_rows", lambda *_: iter([("JAX", absent)]))
    assert rounds.measure("S", 1)["absent"] == {"JAX": "No module named 'jax'"}


def answer(**seconds: list[float]) -> dict[str, Any]:
    """What `rounds.measure` gives; names are spelled with underscores."""
    rows = {name.replace("_", " "): times for name, times in seconds.items()}
    none: dict[str, Any] = {"deviation": {}, "notes": {}, "absent": {}}
    return {"seconds": rows, **none, "date": "2026-01-01", "versions": {"numpy": "2"}}


@pytest.fixture
def results(tmp_path: Path) -> Results:
    results = Results(tmp_path / "engines.json")
    times = {"JAX": [2.0, 2.2], "PyTorch": [5.0, 5.0], "fused_float32": [0.2, 0.25]}
    results.add("M4", answer(**times, gram_float32=[4.0, 4.0], copy=[0.01], matmul=[0.02]))
    return results


def test_rounds_are_joined(results: Results) -> None:
    results.add("M4", answer(JAX=[1.8], PyTorch=[5.0], fused_float32=[0.1]))
    again = Results(results.path)
    assert again.median("M4", "JAX") == 2.0
    assert again.median("M4", "fused float32") == 0.2
    assert again.rounds("M4") == 1  # of the row with the fewest
    assert "absent" not in again.parts["M4"]
    again.forget(["M4"])
    assert Results(results.path).rounds("M4") == 0


def test_bars_are_against_the_best_peer(results: Results) -> None:
    assert results.peers("M4") == ["JAX", "PyTorch"]
    reached = bars.against_peers(results, "M4")
    assert reached["fused float32"].value == pytest.approx(2.1 / 0.225)
    assert reached["fused float32"].met
    assert reached["gram float32"].asked is None
    assert "fused alone" not in reached
    text = tables.bars(results, ENGLISH)
    assert "| M4 | JAX, 2.10 s | 9.33× (≥ 1×) ✓ | – | 0.525× | – |" in text


def test_the_run_is_described(results: Results) -> None:
    results.add("L", {**answer(JAX=[1.0] * 5, copy=[0.01] * 5), "load": 0.4})
    text = tables.run(results, CHINESE)
    assert "- 轮数：1–5\n" in text
    assert "- 各部分开始时的平均负载：0.4\n" in text
    assert tables.between([]) == "–"


def test_floor(results: Results) -> None:
    """By hand for M4: 21 · 22 · 100,000 operations for the matrices and 2 · 21 · 22 · 4 a step."""
    found = bars.floor(results, "M4")
    assert found is not None
    operations = 3 * (21 * 22 * 100_000 + 2 * 21 * 22 * 4 * 3125)
    assert found[0] == pytest.approx(operations / (2 * 1024**3 / 0.02))
    assert not found[1]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "–"), (12.34, "12.3 s"), (0.1234, "123 ms"), (1.5e-3, "1.50 ms"), (2e-5, "20.0 µs")],
)
def test_times_are_written_with_three_digits(seconds: float | None, text: str) -> None:
    assert tables.time_of(seconds) == text


def test_both_pages_have_a_place_for_every_table() -> None:
    assert set(CHINESE) == set(ENGLISH)
    for page in PAGES:
        text = (DOCS / page).read_text(encoding="utf-8")
        for name in tables.TABLES:
            assert text.count(f"<!-- table: {name} -->\n") == 1


def test_put_replaces_a_table(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- table: t -->\nold \\1\n<!-- end -->\nb\n", encoding="utf-8")
    put(page, "t", "new \\1\n")
    assert page.read_text(encoding="utf-8") == "a\n<!-- table: t -->\nnew \\1\n<!-- end -->\nb\n"


def test_cases_are_the_issues() -> None:
    sizes = {c.name: (c.n, c.d, c.batch_size, c.lanes, c.epochs) for c in CASES.values()}
    assert sizes["W256"] == (20_000, 512, 128, 256, 1)
    assert sizes["L"] == (2_000_000, 20, 256, 64, 1)
    assert CASES["M1k"].lrs.shape == (1024,)


def test_no_host_name_and_no_path() -> None:
    import platform

    facts = " ".join(machine().values())
    assert platform.node() not in facts.split()
    assert "/" not in facts
