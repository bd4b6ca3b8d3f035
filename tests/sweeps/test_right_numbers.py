"""Tables on which losses, floors or R² were once wrong in silence, with what is right."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import polars as pl
import pytest

import learnrate
from learnrate._shapes import Array

FAST = ("gram", "fused")


def total_column(seed: int) -> pl.DataFrame:
    """Parts, their total, and a price."""
    rng = np.random.default_rng(seed)
    parts = rng.normal(50, 12, (500, 4)).round(2)
    price = parts @ [1, 2, -1, 0.5] + rng.normal(0, 5, 500)
    columns = {f"part{i}": parts[:, i] for i in range(4)}
    more = {"total": parts.sum(axis=1).round(2), "price": price.round(2)}
    return pl.DataFrame(columns | more)


def towns(seed: int) -> pl.DataFrame:
    """31 towns, of which 28 are rare, in 9,000 rows."""
    rng = np.random.default_rng(seed)
    p = np.array([0.5, 0.3, 0.15] + [0.05 / 28] * 28)
    town = rng.choice(31, 9000, p=p / p.sum())
    price = 200 + 30 * rng.standard_normal(31)[town] + 10 * rng.standard_normal(9000)
    return pl.DataFrame({"town": [f"t{i:02d}" for i in town], "price": price.round(2)})


def rare_categories() -> pl.DataFrame:
    """An area and 45 towns, of which 25 are rare."""
    r = random.Random(4)
    rows = []
    for _ in range(10_000):
        k = r.randrange(20) if r.random() < 0.995 else 20 + r.randrange(25)
        a = r.gauss(100, 30)
        rows.append((round(a, 1), f"t{k:02d}", round(50 + 3 * a + 2 * k + r.gauss(0, 5), 1)))
    return pl.DataFrame(rows, schema=["area", "town", "price"], orient="row")


@pytest.mark.parametrize("engine", ["auto", *FAST])
def test_a_column_that_is_the_sum_of_others_in_float32(engine: str) -> None:
    """Losses were 0, or 195 times too large."""
    for seed in (2, 3, 12):
        options: dict[str, Any] = {
            "target": "price",
            "lrs": [0.003, 0.03],
            "epochs": 5,
            "val": 0.2,
            "seed": seed,
        }
        exact = learnrate.sweep(total_column(seed), engine="reference", **options)
        ours = learnrate.sweep(total_column(seed), engine=engine, dtype="float32", **options)
        np.testing.assert_allclose(ours.losses, exact.losses, rtol=1e-4)
        np.testing.assert_allclose(
            np.asarray(ours.val_losses), np.asarray(exact.val_losses), rtol=1e-4
        )
        np.testing.assert_allclose(ours.W, exact.W, atol=1e-4 * np.abs(exact.W).max())
        np.testing.assert_allclose(np.asarray(ours.r2), np.asarray(exact.r2), atol=1e-4)


@pytest.mark.parametrize("engine", FAST)
@pytest.mark.parametrize("scale", [1, 100])
def test_columns_that_were_computed_in_float32(engine: str, scale: int) -> None:
    """Losses were off by up to 1.5e-4, where 1e-9 is promised."""
    for seed in range(4):
        rng = np.random.default_rng(seed)
        parts = rng.standard_normal((400, 5)).astype(np.float32)
        X = np.column_stack([parts, parts.sum(axis=1)]).astype(float)
        y = scale * (X[:, :5] @ np.arange(5.0) + rng.standard_normal(400))
        exact = learnrate.sweep(X, y, lrs=[0.01, 0.05], epochs=4, engine="reference")
        ours = learnrate.sweep(X, y, lrs=[0.01, 0.05], epochs=4, engine=engine)
        np.testing.assert_allclose(ours.losses, exact.losses, rtol=1e-9)


@pytest.mark.parametrize("seed", [0, 5])
def test_rare_categories_that_no_sample_meets(seed: int) -> None:
    """Losses were 0, or 7e9 times too large."""
    frame = towns(seed)
    options: dict[str, Any] = {"target": "price", "lrs": [0.001, 0.01], "epochs": 2}
    exact = learnrate.sweep(frame, engine="reference", batch_size=100, **options)
    for engine, threads in (("auto", 1), ("gram", 1), ("fused", 1), ("fused", 2)):
        ours = learnrate.sweep(frame, engine=engine, threads=threads, batch_size=100, **options)
        np.testing.assert_allclose(ours.losses, exact.losses, rtol=1e-9)
        np.testing.assert_allclose(ours.W, exact.W, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("engine", ["auto", *FAST])
def test_rare_categories_beside_a_number(engine: str) -> None:
    """The final loss was 2.53e6."""
    ours = learnrate.sweep(rare_categories(), target="price", lrs=[0.001], engine=engine)
    assert ours.losses[0, 0, -1] == pytest.approx(190.0, rel=2e-3)


@pytest.mark.parametrize("engine", ["auto", *FAST])
def test_large_features_in_float32(engine: str) -> None:
    """Every rate was nan, and diverged, where the fourth power of a matrix is too large for its type."""
    rng = np.random.default_rng(0)
    X = rng.uniform(2e4, 1.5e5, (200, 4))
    y = X @ [1e-4, 2e-4, -1e-4, 0.5e-4] + rng.standard_normal(200)
    ours = learnrate.sweep(X, y, lrs=[1e-12, 3e-12, 6e-12], dtype="float32", engine=engine)
    np.testing.assert_allclose(ours.losses[0, :, -1], [24541.41, 14057.64, 8278.004], rtol=1e-5)


def test_floors_in_float32() -> None:
    """They were infinite: a column that is the sum of others is so but for rounding."""
    for seed in (0, 3):
        options: dict[str, Any] = {"target": "price", "lrs": [0.003, 0.03], "epochs": 5}
        exact, ours = (
            learnrate.sweep(total_column(seed), seed=seed, dtype=dtype, **options).floors
            for dtype in ("float64", "float32")
        )
        np.testing.assert_allclose(np.asarray(ours), np.asarray(exact), rtol=1e-3)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_r2_of_huge_labels(dtype: str) -> None:
    """It was 1 in float32, in which their variance overflows."""
    rng = np.random.default_rng(5)
    X = rng.standard_normal((400, 3))
    y = 1e18 * (X.sum(axis=1) + rng.standard_normal(400))
    ours = learnrate.sweep(X, y, lrs=[0.001, 0.1], epochs=2, val=0.3, dtype=dtype)
    np.testing.assert_allclose(np.asarray(ours.r2), [[0.0798210, 0.6575132]], rtol=1e-4)


def test_large_minibatches_drawn_afresh_on_threads() -> None:
    """Losses were 0.19462, or 0, or the process ended."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((3000, 3))
    y = X.sum(axis=1) + 0.1 * rng.standard_normal(3000)
    options: dict[str, Any] = {
        "lrs": [0.01, 0.1],
        "batch_size": 600,
        "epochs": 2,
        "sampling": "independent",
    }
    for threads in (1, 2):
        ours = learnrate.sweep(X, y, engine="fused", threads=threads, **options)
        error: Array = X @ ours.W[0, 1] + ours.b[0, 1] - y
        assert ours.losses[0, 1, -1] == pytest.approx(error @ error / 6000, rel=1e-12)
        assert ours.losses[0, 1, -1] == pytest.approx(0.1869, rel=1e-3)


def test_two_neighbouring_numbers_are_left_out_and_named() -> None:
    """The weight was −1.1e14."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal(200)
    close = np.where(rng.random(200) < 0.5, 0.3, 0.1 + 0.2)
    frame = pl.DataFrame({"x": x, "c": close, "y": 2 * x + 1 + 0.1 * rng.standard_normal(200)})
    ours = learnrate.sweep(frame, target="y", lrs=[0.1], epochs=20)
    assert ours.data.feature_names == ("x",)
    assert ours.data.left_out[0].name == "c"
    assert ours.data.left_out[0].reason.startswith("constant up to rounding")
    assert abs(ours.b[0, 0] - 1) < 0.1
