"""A table as users have them: 1,460 rows, 80 mixed columns, many texts, many missing values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from learnrate.data import read_table
from learnrate.data.prepare import prepare
from learnrate.errors import DataError

ROWS = 1460


def houses() -> pl.DataFrame:
    """An Id, 33 numbers, 41 texts, a date, two constants, free text; 19 columns have missing values."""
    rng = np.random.default_rng(1460)
    columns: dict[str, list[object]] = {"Id": list(range(1, ROWS + 1))}
    for j in range(23):
        columns[f"Area{j}"] = rng.integers(0, 50 * (j + 1), ROWS).tolist()
    for j in range(10):
        columns[f"Height{j}"] = np.round(rng.normal(j, 1 + j, ROWS), 2).tolist()
    for j in range(41):
        k = 2 + j % 24
        names = [f"{'ABCD'[j % 4]}{i}" for i in range(k)]
        columns[f"Kind{j}"] = [names[i] for i in np.minimum(rng.geometric(0.3, ROWS) - 1, k - 1)]
    columns["Remark"] = [f"seen by {i}" for i in range(ROWS)]
    columns["Sold"] = [f"20{i % 10:02d}-0{i % 9 + 1}-11" for i in range(ROWS)]
    columns["Utilities"] = ["AllPub"] * ROWS
    columns["Planet"] = [3] * ROWS
    gaps = [*(f"Area{j}" for j in range(5)), *(f"Height{j}" for j in range(3))]
    gaps += [f"Kind{j}" for j in range(11)]
    shares = [0.995, 0.96, 0.94, 0.81, 0.47, 0.18, 0.06, 0.03, 0.01]
    for j, name in enumerate(gaps):
        missing = rng.random(ROWS) < shares[j % len(shares)]
        columns[name] = [
            "NA" if gap else value for value, gap in zip(columns[name], missing, strict=True)
        ]
    area, kind = np.array(columns["Area22"], dtype=float), np.array(columns["Kind40"])
    price = 60_000 + 100 * area - 20_000 * (kind == "A4") + rng.normal(0, 5_000, ROWS)
    columns["SalePrice"] = np.round(price).astype(int).tolist()
    return pl.DataFrame({name: [str(v) for v in values] for name, values in columns.items()})


@pytest.fixture(scope="module")
def frame(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    path: Path = tmp_path_factory.mktemp("houses") / "houses.csv"
    houses().write_csv(path)
    return read_table(path)


def test_the_table_is_what_it_says(frame: pl.DataFrame) -> None:
    assert frame.shape == (ROWS, 80)
    shares = [column.null_count() / ROWS for column in frame.iter_columns()]
    assert sum(share > 0 for share in shares) == 19
    assert sum(share > 0.9 for share in shares) >= 5
    assert frame["Area0"].dtype == pl.Int64
    assert frame["Height0"].dtype == pl.Float64


def test_it_fails_with_an_error_that_leads_on(frame: pl.DataFrame) -> None:
    with pytest.raises(DataError) as caught:
        prepare(frame, "SalePrice")
    message = str(caught.value)
    for words in (
        "19 of 75 columns",
        "Area0 (1,45",
        "missing='mean'",
        "would keep 0 of 1,460 rows",
    ):
        assert words in message
    assert len(message) < 400


def test_drop_leads_to_mean(frame: pl.DataFrame) -> None:
    with pytest.raises(DataError, match="missing='mean' instead"):
        prepare(frame, "SalePrice", missing="drop")


def test_one_flag_makes_it_train(frame: pl.DataFrame) -> None:
    data = prepare(frame, "SalePrice", missing="mean", val_fraction=0.2)
    assert {out.name for out in data.left_out} == {"Id", "Remark", "Sold", "Utilities", "Planet"}
    n, d = data.X_train.shape
    assert n == ROWS - round(0.2 * ROWS)
    assert 300 < d < 700
    assert np.isfinite(data.X_train).all()
    assert data.X_val is not None
    assert data.y_val is not None
    assert np.isfinite(data.X_val).all()
    assert len(data.references) == 41
    # What is to be learned is there, and least squares finds it for rows held out.
    theta, *_ = np.linalg.lstsq(np.column_stack([data.X_train, np.ones(n)]), data.y_train)
    residual = data.y_val - np.column_stack([data.X_val, np.ones(len(data.X_val))]) @ theta
    assert 1 - residual.var() / data.y_val.var() > 0.9
