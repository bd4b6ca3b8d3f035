"""Sweeps of tables that stay on disk: the curves of memory with the same blocks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import learnrate
from learnrate.errors import InputError, OptionError

N, D = 4001, 5
OPTIONS: dict[str, Any] = {
    "target": "y",
    "lrs": [0.01, 0.1, 30.0],
    "batch_size": 7,
    "epochs": 2,
    "standardize": False,
    "block_size": 600,
}


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N, D))
    frame = pl.DataFrame({f"x{j}": X[:, j] for j in range(D)})
    path = tmp_path_factory.mktemp("larger") / "table.parquet"
    frame.with_columns(y=pl.Series(X @ np.arange(D) + rng.normal(size=N))).write_parquet(path)
    return path


def sweep(table: Path, **options: Any) -> learnrate.LinearSweepResult:
    """The options of `OutOfCore` stand among the others here."""
    names = {"memory": "budget", "block_size": "block_size", "cache": "cache"}
    blocks = {there: options.pop(here) for here, there in names.items() if here in options}
    return learnrate.sweep(str(table), memory=learnrate.OutOfCore(**blocks), **options)


def both(
    table: Path, **options: Any
) -> tuple[learnrate.LinearSweepResult, learnrate.LinearSweepResult]:
    options = {**OPTIONS, **options}
    cache = table.parent / "cache"
    return (
        sweep(table, **options),
        sweep(table, memory="20MB", cache=cache, **options),
    )


@pytest.mark.parametrize("engine", ["gram", "fused"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"dtype": "float32"},
        {"optimizer": learnrate.SGD(0.5, weight_decay=0.1)},
        {"schedule": "cosine", "seeds": 2, "threads": 2},
        {"lrs": np.geomspace(1e-3, 0.1, 40), "batch_size": 2},
        {"batch_size": 600, "block_size": 601},
        {"block_size": 10_000},
    ],
    ids=str,
)
def test_curves_are_those_of_memory_to_the_last_bit(
    table: Path, engine: str, options: dict[str, Any]
) -> None:
    if engine == "gram":  # which uses one thread
        options = {**options, "threads": 1}
    memory, stored = both(table, engine=engine, **options)
    assert (memory.losses == stored.losses)[np.isfinite(memory.losses)].all()
    assert (np.isfinite(memory.losses) == np.isfinite(stored.losses)).all()
    assert (memory.W == stored.W)[np.isfinite(memory.W)].all()
    assert memory.fingerprint == stored.fingerprint


@pytest.mark.parametrize("engine", ["gram", "fused"])
def test_wide_data_go_by_rows(tmp_path: Path, engine: str) -> None:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(300, 400))
    names = [f"x{j}" for j in range(400)]
    frame = pl.DataFrame(dict(zip(names, X.T, strict=True))).with_columns(y=pl.Series(X[:, 0]))
    frame.write_parquet(tmp_path / "table.parquet")
    memory, stored = both(
        tmp_path / "table.parquet",
        engine=engine,
        batch_size=4,
        block_size=50,
        lrs=[1e-3, 1e-2],
        val=0.1,
    )
    assert (memory.losses == stored.losses).all()
    assert memory.val_losses is not None
    assert stored.val_losses is not None
    np.testing.assert_allclose(stored.val_losses, memory.val_losses, rtol=1e-12)


def test_a_standardised_table_differs_in_the_last_digits_only(table: Path) -> None:
    memory, stored = both(table, standardize=True, lrs=[0.01, 0.1], val=0.2)
    np.testing.assert_allclose(stored.losses, memory.losses, rtol=1e-12)
    assert memory.val_losses is not None
    assert stored.val_losses is not None
    np.testing.assert_allclose(stored.val_losses, memory.val_losses, rtol=1e-12)
    assert memory.r2 is not None
    assert stored.r2 is not None
    np.testing.assert_allclose(stored.r2, memory.r2, rtol=1e-9)


def test_the_result_has_all_that_one_in_memory_has(table: Path, tmp_path: Path) -> None:
    memory, stored = both(table, val=0.1, lrs=[0.01, 0.1])
    assert stored.to_frame().drop("val_loss").equals(memory.to_frame().drop("val_loss"))
    assert stored.data_facts() == memory.data_facts()
    assert stored.suggestion().lr == memory.suggestion().lr
    assert stored.as_dict()["data"] == memory.as_dict()["data"]
    assert stored.model(0.1).predict(np.zeros((1, D))).shape == (1,)
    for suffix in ("png", "json", "csv"):
        assert stored.save(tmp_path / f"sweep.{suffix}").stat().st_size > 0


def test_predictions_of_a_sample_say_so(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("learnrate.data.streaming.examples._SAMPLE_ROWS", 1000)
    memory, stored = both(table, lrs="auto", standardize=True)
    assert len(stored.data.y_train) <= 1000
    theory = stored.theory
    assert theory is not None
    assert str(theory.limit.kind) == "estimate"
    assert str(theory.full_batch_limit.kind) == "estimate"
    assert "801 of 4,001 examples" in theory.limit.note
    assert any("801 evenly spaced" in line for line in stored.verdict_sentences())
    assert any("801 evenly spaced" in line for line in stored.remarks())
    assert stored.limit == pytest.approx(memory.limit, rel=0.2)
    assert stored.predicted is not None
    assert memory.predicted is not None
    near = stored.lrs < 0.5 * theory.limit.value  # type: ignore[operator]
    kept = np.isin(memory.lrs, stored.lrs[near])
    at = np.isin(stored.lrs, memory.lrs[kept])
    np.testing.assert_allclose(stored.predicted[at], memory.predicted[kept], rtol=0.3)


def test_without_a_block_size_it_follows_from_the_budget_alone(table: Path) -> None:
    options = {**OPTIONS, "block_size": None, "cache": table.parent / "cache", "epochs": 1}
    sizes = [
        sweep(table, memory=memory, threads=threads, **options).config.block_size
        for memory, threads in (("16MB", 1), ("16MB", 2), ("1GB", 1))
    ]
    assert sizes == [N, N, N]  # never more than there are rows
    from learnrate.data.streaming.budget import block_rows

    assert block_rows(16 * 10**6, D, 8) == 65_536


def test_progress_is_told_block_by_block(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("learnrate.training.monitor._INTERVAL_S", 0.0)
    told: list[tuple[int, int]] = []
    sweep(
        table,
        memory="20MB",
        cache=table.parent / "cache",
        monitor=learnrate.Monitor(
            on_progress=lambda so_far: told.append((so_far.steps, so_far.total))
        ),
        engine="gram",
        **{**OPTIONS, "seeds": 2},
    )
    done = [count for count, _ in told]
    [total] = {total for _, total in told}
    assert done == sorted(done)
    assert done[-1] == total
    assert len(set(done)) >= 4 * 7


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"engine": "torch"}, "engine must be auto or one of reference, gram, fused"),
        ({"sampling": "independent"}, "sampling must be shuffle"),
        ({"memory": "1MB"}, "at least 16MB"),
        ({"block_size": 0}, "block_size must be a whole number"),
        ({"memory": None}, "cache must come with memory"),
        ({"memory": "16MB", "block_size": 10**9}, None),
    ],
)
def test_what_cannot_be_had(table: Path, options: dict[str, Any], what: str | None) -> None:
    asked = {**OPTIONS, "memory": "20MB", "cache": table.parent / "cache", **options}
    if what is None:  # more rows than there are: all of them
        assert sweep(table, **asked).config.block_size == N
        return
    with pytest.raises(OptionError, match=what) as caught:
        sweep(table, **asked)
    assert "\n" not in str(caught.value)


def test_two_blocks_must_fit_the_budget(tmp_path: Path) -> None:
    n = 500_000
    pl.DataFrame({"a": np.arange(n) % 7 * 1.0, "y": np.arange(n) % 3}).write_parquet(
        tmp_path / "t.parquet"
    )
    with pytest.raises(OptionError, match="two blocks of 400,000 rows"):
        learnrate.sweep(
            str(tmp_path / "t.parquet"),
            memory=learnrate.OutOfCore("16MB", block_size=400_000, cache=tmp_path),
        )


@pytest.mark.parametrize("data", ["note", "array", "frame"])
def test_what_is_in_memory_already_is_refused(data: str, table: Path) -> None:
    X, y = learnrate.note_data(50)
    asked: tuple[Any, ...] = {
        "note": ("note",),
        "array": (X, y),
        "frame": (pl.DataFrame({"a": X[:, 0], "y": y}),),
    }[data]
    with pytest.raises(InputError, match="memory must come with a table in files"):
        learnrate.sweep(*asked, memory="20MB")


def test_the_command(table: Path) -> None:
    def run(*more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [
                sys.executable,
                "-m",
                "learnrate",
                "sweep",
                str(table.parent / "*.parquet"),
                "-t",
                "y",
                *more,
            ],
            capture_output=True,
            text=True,
            timeout=120,
        )

    blocks = ["--memory", "20MB", "--cache", str(table.parent / "cache"), "--block-size", "700"]
    done = run(*blocks, "--lrs", "0.01,0.1")
    assert done.returncode == 0, done.stderr
    assert "4,001 examples with 5 features" in done.stdout
    assert "Suggested learning rate" in done.stdout
    again = run(*blocks, "--lrs", "0.01,0.1")
    assert again.stdout == done.stdout
    assert run("--memory", "lots").returncode == 2
    assert run("--cache", "there").returncode == 2
    assert "for linear models" in run("--memory", "2GB", "--model", "a:b").stderr


@pytest.mark.slow
def test_peak_memory_stays_within_the_budget_for_a_table_five_times_its_size(
    tmp_path: Path,
) -> None:
    from benchmarks.out_of_core import measure, write_table

    path = tmp_path / "table.parquet"
    write_table(path, 3_000_000, 20)  # 504 MB as float64
    common = {
        "data": str(path),
        "target": "y",
        "lrs": [0.001, 0.01],
        "batch_size": 32,
        "epochs": 1,
        "memory": "100MB",
        "cache": str(tmp_path / "cache"),
    }
    for _ in range(2):  # preparing and training, then from the cache
        assert measure(**common)["peak"] < 400e6
