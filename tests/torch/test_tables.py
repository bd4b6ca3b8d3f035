"""A table into a PyTorch model, in Python as on the command line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from torch import nn

from learnrate.errors import DataError, OptionError
from learnrate.torch import sweep_table


def network(d: int, classes: int) -> nn.Module:
    return nn.Sequential(nn.Linear(d, 8), nn.ReLU(), nn.Linear(8, classes))


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Two features in far units; a number, three classes and two that follow from them."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(1e4, 1e3, 120), rng.normal(size=120)
    kind = np.select([b < -0.4, b < 0.4], ["low", "mid"], "high")
    frame = pl.DataFrame({"a": a, "b": b, "price": 3 * a + 500 * b, "kind": kind, "over": b > 0})
    frame.write_csv(tmp_path / "table.csv")
    return tmp_path / "table.csv"


def test_features_and_target_are_brought_to_one_scale(table: Path) -> None:
    def regression(d: int) -> nn.Module:
        return network(d, 1)

    result = sweep_table(
        regression, table, target="price", features=["a", "b"], lrs=[0.1], epochs=20, val=0.25
    )
    assert result.losses[0, 0, 0] < 3
    assert result.losses[0, 0, -1] < 0.1
    assert result.val_losses is not None
    assert "mean 0 and standard deviation 1" in result.remarks()[0]


def test_text_becomes_class_numbers_and_the_model_is_told_how_many(table: Path) -> None:
    result = sweep_table(
        network,
        table,
        target="kind",
        features=["a", "b"],
        loss="cross-entropy",
        lrs=[0.5],
        epochs=20,
    )
    assert result.losses[0, 0, -1] < 0.3
    assert result.remarks()[0].startswith("3 classes: ")
    assert list(result.model().parameters())[-1].shape == (3,)


def test_two_classes_for_bce_and_no_more(table: Path) -> None:
    def one(d: int) -> nn.Module:
        return network(d, 1)

    result = sweep_table(
        one, table, target="over", features=["a", "b"], loss="bce", lrs=[0.5], epochs=20
    )
    assert result.losses[0, 0, -1] < 0.3
    with pytest.raises(DataError, match=r"must hold 2 classes\. Got 3"):
        sweep_table(one, table, target="kind", features=["a", "b"], loss="bce", lrs=[0.5])


def test_a_callable_that_fails_is_named(table: Path) -> None:
    with pytest.raises(OptionError, match="ZeroDivisionError when my net was called"):
        sweep_table(lambda d: d / 0, table, target="price", name="my net", lrs=[0.1])
