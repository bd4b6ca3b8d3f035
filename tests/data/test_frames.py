"""Tables of other libraries."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from learnrate.data.frames import as_frame, is_frame
from learnrate.errors import DataError


def test_what_is_a_frame() -> None:
    frame = pl.DataFrame({"a": [1]})
    for table in (frame, frame.lazy(), frame.to_pandas(), frame.to_arrow()):
        assert is_frame(table)
        assert as_frame(table).equals(frame)
    for other in ([1], np.eye(2), "diabetes", {"a": [1]}, None):
        assert not is_frame(other)
        with pytest.raises(DataError, match="DataFrame"):
            as_frame(other)


def test_nan_becomes_null_and_the_rest_is_not_copied() -> None:
    frame = pl.DataFrame({"a": [1.0, float("nan")], "b": [1.0, 2.0]})
    seen = as_frame(frame)
    assert seen["a"].to_list() == [1.0, None]
    assert np.shares_memory(seen["b"].to_numpy(), frame["b"].to_numpy())
    assert frame["a"].null_count() == 0


def test_pandas_columns_of_every_kind() -> None:
    table = pd.DataFrame(
        {
            "float": [1.5, np.nan, 3.0],
            "whole": pd.array([1, None, 3], dtype="Int64"),
            "text": ["a", None, "b"],
            "category": pd.Categorical(["u", "v", None]),
            "date": pd.to_datetime(["2020-01-01", None, "2020-01-03"]),
            "mixed": ["x", 1, None],
            "object": [object(), object(), None],
            "complex": [1 + 2j, 3j, 0j],
            "flag": [True, False, True],
            7: [1, 2, 3],
        },
        index=[5, 6, 7],
    )
    frame = as_frame(table)
    assert frame.columns == [str(name) for name in table.columns]
    assert frame["float"].to_list() == [1.5, None, 3.0]
    assert frame["whole"].to_list() == [1, None, 3]
    assert frame["text"].to_list() == ["a", None, "b"]
    assert frame["category"].to_list() == ["u", "v", None]
    assert frame["date"].dtype.is_temporal()
    assert frame["mixed"].to_list() == ["x", "1", None]
    assert frame["object"].null_count() == 1
    assert frame["complex"].dtype == pl.String
    assert frame["flag"].dtype == pl.Boolean


def test_repeated_names() -> None:
    table = pd.DataFrame(np.eye(2), columns=["a", "a"])
    with pytest.raises(DataError, match="'a' for column 1 and for column 2"):
        as_frame(table)
    with pytest.raises(DataError, match="'a'"):
        as_frame(pa.table([pa.array([1]), pa.array([2])], names=["a", "a"]))


def test_arrow_columns_of_unusual_types() -> None:
    values = pa.array([1, 2]).cast(pa.decimal256(60, 2))
    assert as_frame(pa.table({"v": values}))["v"].to_list() == [1.0, 2.0]
    union = pa.UnionArray.from_sparse(pa.array([0, 0], pa.int8()), [pa.array([1, 2])])
    with pytest.raises(DataError, match=r"'v'.*union"):
        as_frame(pa.table({"v": union}))
