"""From a table to examples: targets, features, one-hot columns, what is left out, missing values."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnrate.data import load_diabetes
from learnrate.data.columns import category_limit
from learnrate.data.prepare import prepare
from learnrate.data.prepared import Prepared
from learnrate.data.target import default_target
from learnrate.errors import DataError, InputError, OptionError

NAN = float("nan")


def table(n: int = 40, **columns: Any) -> pl.DataFrame:
    """A number ``x`` and a target ``y`` for n rows, and further columns."""
    rng = np.random.default_rng(0)
    return pl.DataFrame({"x": rng.normal(5, 3, n), "y": rng.normal(0, 1, n), **columns})


def refusal(
    frame: Any, target: str | None = "y", kind: type[InputError] = DataError, **options: Any
) -> str:
    with pytest.raises(kind) as caught:
        prepare(frame, target, **options)
    message = str(caught.value)
    assert "\n" not in message
    return message


def reasons(data: Prepared) -> dict[str, str]:
    return {out.name: out.reason for out in data.left_out}


class TestNumbers:
    def test_numbers_truth_values_and_decimals_are_features(self) -> None:
        n = 6
        frame = pl.DataFrame(
            {
                "int": [3, 1, 4, 1, 5, 9],
                "small": pl.Series([3, 1, 4, 1, 5, 200], dtype=pl.UInt8),
                "float": pl.Series([0.5, 1.5, 2.5, 3.5, 4.5, 5.5], dtype=pl.Float32),
                "bool": [True, False, True, True, False, True],
                "decimal": [Decimal("1.25")] * 5 + [Decimal("2.50")],
                "large": pl.Series([2**100, 0, 1, 2, 3, 4], dtype=pl.Int128),
                "y": range(n),
            }
        )
        data = prepare(frame, "y", standardize=False)
        assert data.feature_names == ("int", "small", "float", "bool", "decimal", "large")
        assert data.left_out == ()
        expected = frame.drop("y").cast(pl.Float64).to_numpy()
        np.testing.assert_array_equal(data.X_train, expected)
        assert data.scaling is None
        assert data.y_train.tolist() == list(range(n))
        assert data.y_train.flags.writeable

    @pytest.mark.parametrize("dtype", [np.float64, np.float32, "float32", np.dtype("float64")])
    def test_types_and_layout(self, dtype: Any) -> None:
        data = prepare(table(), "y", dtype=dtype, val_fraction=0.25)
        assert data.X_val is not None
        assert data.y_val is not None
        for array in (data.X_train, data.X_val, data.y_train, data.y_val):
            assert array.dtype == np.dtype(dtype)
            assert array.flags.c_contiguous
        assert (len(data.X_train), len(data.X_val)) == (30, 10)

    def test_standardised_by_the_training_rows_alone(self) -> None:
        frame = table(50, t=["a", "b", "b", "b", "c"] * 10)
        data = prepare(frame, "y", val_fraction=0.3, seed=3)
        assert data.X_val is not None
        np.testing.assert_allclose(data.X_train.mean(axis=0), 0, atol=1e-15)
        np.testing.assert_allclose(data.X_train.std(axis=0), 1, rtol=1e-14)
        assert abs(data.X_val.mean()) > 1e-3
        raw = prepare(frame, "y", val_fraction=0.3, seed=3, standardize=False)
        assert data.scaling is not None
        assert raw.X_val is not None
        for scaled, plain in ((data.X_train, raw.X_train), (data.X_val, raw.X_val)):
            np.testing.assert_allclose(
                scaled * data.scaling.scale + data.scaling.mean, plain, rtol=1e-13, atol=1e-13
            )

    def test_a_column_that_is_constant_in_training_only(self) -> None:
        frame = table(20).with_columns(rare=pl.Series([0.0] * 19 + [1.0]))
        seeds = [s for s in range(40) if _holds_out_last_row(frame, s)]
        assert seeds
        data = prepare(frame, "y", val_fraction=0.5, seed=seeds[0])
        assert data.scaling is not None
        assert data.scaling.scale[1] == 1
        assert (data.X_train[:, 1] == 0).all()
        assert data.X_val is not None
        assert data.X_val[-1, 1] == 1

    def test_what_does_not_fit_float32(self) -> None:
        frame = table(4, big=[1e300, 2e300, -1e300, 0.0])
        assert prepare(frame, "y", dtype="float32").X_train.dtype == np.float32
        message = refusal(frame, dtype="float32", standardize=False)
        assert "'big'" in message
        assert "float32" in message
        huge = table(4).with_columns(y=pl.lit(1e300) * pl.col("x"))
        assert "'y'" in refusal(huge, dtype="float32")

    def test_what_does_not_fit_float64(self) -> None:
        assert "'big'" in refusal(table(4, big=[1.7e308, -1.7e308, 1.7e308, 0.0]))


def _holds_out_last_row(frame: pl.DataFrame, seed: int) -> bool:
    data = prepare(frame, "y", val_fraction=0.5, seed=seed, standardize=False)
    return data.X_val is not None and data.X_val[-1, 1] == 1


class TestCategories:
    STREETS = ("b", "a", "b", "c", "a", "b", "c", "b")

    def test_one_feature_for_each_category_but_the_most_frequent(self) -> None:
        frame = pl.DataFrame({"street": self.STREETS, "y": range(8)})
        data = prepare(frame, "y", standardize=False)
        assert data.feature_names == ("street=a", "street=c")
        assert data.references == {"street": "b"}
        expected = [[s == "a", s == "c"] for s in self.STREETS]
        np.testing.assert_array_equal(data.X_train, np.array(expected, dtype=float))

    def test_the_first_by_name_among_equals(self) -> None:
        frame = pl.DataFrame({"t": ["z", "b", "a", "z", "b", "a"], "y": range(6)})
        assert prepare(frame, "y").references == {"t": "a"}

    @pytest.mark.parametrize("dtype", [pl.Categorical, pl.Enum(["c", "b", "a", "unused"])])
    def test_categorical_and_enum_columns_are_the_same(self, dtype: Any) -> None:
        frame = pl.DataFrame({"street": self.STREETS, "y": range(8)})
        expected, data = prepare(frame, "y"), prepare(frame.cast({"street": dtype}), "y")
        assert data.feature_names == expected.feature_names
        assert data.references == expected.references
        np.testing.assert_array_equal(data.X_train, expected.X_train)

    def test_names_with_special_marks_are_names_and_nothing_more(self) -> None:
        frame = pl.DataFrame(
            {"^a.*$": [1, 2, 4], "*": [3, 1, 2], "": [1.5, 2.0, 1.0], "y": [1, 2, 3]}
        )
        assert prepare(frame, "y").feature_names == ("^a.*$", "*", "")


class TestLeftOut:
    def test_each_with_its_reason(self) -> None:
        n = 40
        rng = np.random.default_rng(1)
        frame = table(
            n,
            date=[datetime.date(2020, 1, 1) + datetime.timedelta(days=i) for i in range(n)],
            moment=[datetime.datetime(2020, 1, 1, i % 24) for i in range(n)],
            wait=[datetime.timedelta(seconds=i) for i in range(n)],
            pair=[[1.0, 2.0]] * n,
            record=[{"a": 1}] * n,
            raw=[b"x"] * n,
            gone=pl.Series([None] * n, dtype=pl.Float64),
            nothing=[None] * n,
            nans=[NAN] * n,
            flat=[7] * n,
            flag=[True] * n,
            word=["same"] * n,
            Id=rng.permutation(1000)[:n],
            customerID=rng.permutation(1000)[:n],
            rows=range(1, n + 1),
            remark=[f"remark {i}" for i in range(n)],
            town=[f"town {i % 15}" for i in range(n)],
            dirty=[*["cheap"] * 5, *map(str, range(5, n))],
            stored=list(map(str, range(n))),
        )
        data = prepare(frame, "y")
        assert data.feature_names == ("x",)
        found = reasons(data)
        assert set(found) == set(frame.columns) - {"x", "y"}
        for name, words in {
            "date": "holds dates or times; the option dates=parts",
            "moment": "dates or times",
            "wait": "dates or times",
            "pair": "List(Float64)",
            "record": "Struct",
            "raw": "Binary",
            "gone": "wholly missing",
            "nothing": "wholly missing",
            "nans": "wholly missing",
            "flat": "constant: 7",
            "flag": "constant: True",
            "word": "constant: 'same'",
            "Id": "looks like a row id",
            "customerID": "looks like a row id",
            "rows": "counts the rows (1, 2, …, 40)",
            "remark": "differs from row to row (40 values in 40 rows)",
            "town": "15 categories (at most 10",
            "dirty": "numbers except in 5 of 40 rows, such as 'cheap'",
            "stored": "numbers stored as text",
        }.items():
            assert words in found[name], name

    def test_a_slip_in_a_column_of_numbers_is_an_error(self) -> None:
        texts = [*map(str, range(1, 40))]
        frame = table(40, area=["1O5", *texts])
        with pytest.raises(
            DataError, match=r"'area', where 39 .* and 1 is not: '1O5' in data row 1;"
        ):
            prepare(frame, "y")
        two = table(40, area=[*texts[:20], "1O5", *texts[20:38], "2O"])
        with pytest.raises(
            DataError, match=r"38 .* and 2 are not, the first '1O5' in data row 21;"
        ):
            prepare(two, "y")
        mended = frame.with_columns(area=pl.col("area").replace("1O5", "105").cast(pl.Int64))
        assert "area" in prepare(mended, "y").feature_names

    def test_gaps_do_not_hide_a_slip(self) -> None:
        texts = [None if i % 3 == 0 else str(i) for i in range(40)]
        frame = table(40, area=[*texts[:-1], "1O5"])
        with pytest.raises(DataError, match=r"26 .* and 1 is not: '1O5' in data row 40;"):
            prepare(frame, "y", missing="mean")

    @pytest.mark.parametrize(
        "name", ["id", "ID", "PassengerId", "user_id", "order-no", "Nr", "index", "Unnamed: 0", ""]
    )
    def test_names_of_ids(self, name: str) -> None:
        frame = table(20).with_columns(pl.Series(name, [3 * i + 1 for i in range(20)][::-1]))
        assert list(reasons(prepare(frame, "y"))) == [name]

    @pytest.mark.parametrize("name", ["width", "paid", "bid", "idle", "nose", "number"])
    def test_names_that_only_resemble_them(self, name: str) -> None:
        frame = table(20).with_columns(pl.Series(name, [3 * i + 1 for i in range(20)][::-1]))
        assert prepare(frame, "y").left_out == ()

    def test_whole_numbers_in_another_order_do_not_count_the_rows(self) -> None:
        frame = table(6, place=[1, 3, 2, 5, 4, 6], even=[0, 2, 4, 6, 8, 10])
        assert prepare(frame, "y").left_out == ()

    @pytest.mark.parametrize("missing", ["error", "drop", "mean"])
    def test_text_that_is_wholly_missing(self, missing: str) -> None:
        frame = table(6).with_columns(t=pl.lit(None, dtype=pl.String))
        assert reasons(prepare(frame, "y", missing=missing)) == {"t": "wholly missing"}

    def test_an_id_that_repeats_is_a_number(self) -> None:
        assert prepare(table(20, id=[1, 2] * 10), "y").left_out == ()

    def test_named_features_are_kept(self) -> None:
        frame = table(20, id=range(20))
        data = prepare(frame, "y", features=["id", "x"])
        assert data.feature_names == ("id", "x")

    def test_x_that_counts_the_rows_is_learned_from_if_there_is_nothing_else(self) -> None:
        frame = pl.DataFrame({"x": [1, 2, 3, 4], "y": [2.0, 4.0, 6.0, 8.0]})
        assert prepare(frame, "y").feature_names == ("x",)
        assert "row id" in refusal(frame.rename({"x": "id"}).select(pl.col("id") * 3, "y"))

    def test_how_many_categories(self) -> None:
        assert [category_limit(n) for n in (10, 100, 200, 442, 10_000)] == [10, 10, 20, 44, 50]
        for n, k, fits in [(500, 50, True), (500, 51, False), (20, 10, True), (8, 5, False)]:
            frame = table(n, t=[f"t{i % k}" for i in range(n)])
            assert (prepare(frame, "y").left_out == ()) is fits

    def test_nothing_to_learn_from(self) -> None:
        message = refusal(pl.DataFrame({"a": [1, 1], "b": ["x", "x"], "y": [1, 2]}))
        assert "a (constant: 1)" in message
        assert "b (constant: 'x')" in message
        assert "no other column" in refusal(pl.DataFrame({"y": [1, 2]}))


class TestTarget:
    def test_by_default_y_or_that_of_a_built_in_table(self) -> None:
        assert default_target(table()) == "y"
        assert prepare(load_diabetes()).target_name == "progression"
        message = refusal(table().rename({"y": "price"}), None, OptionError)
        assert "target" in message
        assert "'x', 'price'" in message

    def test_unknown_names_suggest_the_nearest(self) -> None:
        frame = table().rename({"x": "area", "y": "price"})
        message = refusal(frame, "prise", OptionError)
        assert "Did you mean 'price'?" in message
        message = refusal(frame, "price", OptionError, features=["are"])
        assert "'are'" in message
        assert "Did you mean 'area'?" in message

    def test_features_that_cannot_be(self) -> None:
        assert "'y' for both" in refusal(table(), "y", OptionError, features=["x", "y"])
        assert "twice" in refusal(table(), "y", OptionError, features=["x", "x"])
        assert "at least 1" in refusal(table(), "y", OptionError, features=[])

    def test_must_be_numeric(self) -> None:
        texts = ["1", "2.5", None, "cheap", *["3"] * 35, "dear"]
        message = refusal(table(price=texts), "price")
        assert "'cheap' in data row 4" in message
        assert "2 of 40" in message
        assert "choose a numeric column: x, y" in message
        assert "numbers stored as text" in refusal(table(price=["1", "2"] * 20), "price")
        assert "Date" in refusal(table(price=[datetime.date(2020, 1, 1)] * 40), "price")

    def test_truth_values_are_0_and_1(self) -> None:
        assert prepare(table(4, t=[True, False, True, True]), "t").y_train.tolist() == [1, 0, 1, 1]

    def test_a_constant_one_is_remarked_on(self) -> None:
        data = prepare(table(4).with_columns(y=4.5), "y")
        assert any("constant (4.5)" in note for note in data.notes)
        assert prepare(table(4), "y").notes == ()

    def test_without_values(self) -> None:
        assert "missing" in refusal(table(4).with_columns(y=pl.lit(None)))
        frame = table(4).with_columns(y=pl.Series([1.0, None, None, None]))
        assert "at least 2 rows" in refusal(frame, missing="mean")


class TestRefusedValues:
    def test_too_few_rows(self) -> None:
        for n in (0, 1):
            message = refusal(table(n))
            assert "at least 2 rows" in message
            assert f"Got {n}" in message

    def test_infinite(self) -> None:
        message = refusal(table(4, a=[1.0, 2.0, float("inf"), float("-inf")]))
        assert "'a'" in message
        assert "inf in data row 3" in message
        assert "2 such values" in message
        frame = table(4).with_columns(y=pl.Series([1.0, -np.inf, 2.0, 3.0]))
        assert "-inf in data row 2" in refusal(frame)

    def test_infinite_values_of_a_column_that_is_not_used(self) -> None:
        frame = table(4, a=[1.0, 2.0, float("inf"), 3.0])
        assert prepare(frame, "y", features=["x"]).X_train.shape == (4, 1)

    def test_options(self) -> None:
        assert "'error', " not in refusal(table(), "y", OptionError, missing="guess")
        assert "error, drop, mean" in refusal(table(), "y", OptionError, missing="guess")
        assert "float16" in refusal(table(), "y", OptionError, dtype="float16")
        assert "nonsense" in refusal(table(), "y", OptionError, dtype="nonsense")
        for fraction in (1.0, -0.1, NAN):
            message = refusal(table(), "y", OptionError, val_fraction=fraction)
            assert str(fraction) in message
        assert "holds out 0" in refusal(table(4), "y", OptionError, val_fraction=0.1)
        assert "holds out 4" in refusal(table(4), "y", OptionError, val_fraction=0.95)
        assert "seed" in refusal(table(), "y", OptionError, val_fraction=0.5, seed=-1)

    def test_not_a_table(self) -> None:
        assert "list" in refusal([[1, 2]])


class TestMissing:
    N = 20

    def frame(self) -> pl.DataFrame:
        return table(
            self.N,
            a=[None, 1.0, NAN, *[2.0, 4.0] * 8, 3.0],
            t=["u", None, "u", "v", *["v"] * 16],
            unused=[None] * self.N,
        ).with_columns(y=pl.Series([*np.arange(self.N - 1.0), None]))

    def test_refused_by_column_count_and_first_row(self) -> None:
        message = refusal(self.frame().with_columns(y=pl.Series(np.arange(self.N))))
        for words in (
            "2 of 4 columns",
            "a (2, first in data row 1)",
        ):
            assert words in message
        assert "t (1, first in data row 2)" in message
        assert "missing='mean'" in message
        assert "missing='drop', which would keep 17 of 20 rows" in message
        assert "unused" not in message

    def test_a_missing_target_is_said_first(self) -> None:
        message = refusal(self.frame())
        assert "'y' must have a value in every row; it is never filled in" in message
        assert "none in 1 of 20 rows, first in data row 20" in message
        assert "missing='drop' leaves these rows out, and keeps 16" in message
        assert "missing='mean' leaves them out, fills what features lack, and keeps 19" in message
        assert len(prepare(self.frame(), "y", missing="drop").y_train) == 16
        assert len(prepare(self.frame(), "y", missing="mean").y_train) == 19

    def test_a_long_list_is_cut(self) -> None:
        frame = table(4, **{f"c{j}": [1.0, None, 2.0, 3.0] for j in range(30)})
        message = refusal(frame)
        assert "… (30 in all)" in message
        assert len(message) < 400

    def test_drop(self) -> None:
        data = prepare(self.frame(), "y", missing="drop", standardize=False)
        assert data.y_train.tolist() == list(range(3, 19))
        assert data.feature_names == ("x", "a")
        assert reasons(data)["t"].startswith("constant: 'v'")
        assert any("1 of 20 rows dropped: the target 'y'" in note for note in data.notes)
        assert any("3 of 20 rows dropped: a feature" in note for note in data.notes)

    def test_mean(self) -> None:
        data = prepare(self.frame(), "y", missing="mean", standardize=False)
        assert data.y_train.tolist() == list(range(19))
        assert data.feature_names == ("x", "a", "t=missing", "t=u")
        mean = (1 + 8 * (2 + 4)) / 17
        assert data.X_train[:4, 1].tolist() == pytest.approx([mean, 1, mean, 2])
        assert data.X_train[:3, 2].tolist() == [0, 1, 0]
        assert data.references == {"t": "v"}
        assert any("a (2)" in note and "mean" in note for note in data.notes)
        assert any("t (1)" in note and "'missing'" in note for note in data.notes)

    def test_the_mean_is_that_of_the_training_rows(self) -> None:
        frame = table(30, a=[None, *range(100, 129)]).with_columns(pl.col("a").cast(pl.Float64))
        data = prepare(frame, "y", missing="mean", val_fraction=0.5, standardize=False)
        gap, column = frame["y"][0], data.feature_names.index("a")
        place = np.flatnonzero(data.y_train == gap)
        if place.size:  # the row with the gap is trained on: its value is the others' mean
            others = np.delete(data.X_train[:, column], place)
            assert data.X_train[place[0], column] == pytest.approx(others.mean())
        else:
            assert data.X_val is not None
            assert data.y_val is not None
            filled = data.X_val[np.flatnonzero(data.y_val == gap)[0], column]
            assert filled == pytest.approx(data.X_train[:, column].mean())

    def test_text_that_is_one_word_or_missing(self) -> None:
        frame = table(6, pool=["yes", None, "yes", None, "yes", None])
        assert prepare(frame, "y", missing="mean").feature_names == ("x", "pool=yes")
        assert "pool" in reasons(prepare(frame, "y", missing="error"))

    def test_drop_that_loses_nearly_everything_leads_to_mean(self) -> None:
        frame = table(100, a=[1.5, 2.5, *[None] * 98], b=[*[None] * 98, 1.5, 2.5])
        message = refusal(frame, missing="drop")
        assert "Got 0 of 100 rows" in message
        assert "a (98), b (98)" in message
        assert "missing='mean'" in message
        assert prepare(frame, "y", missing="mean").X_train.shape == (100, 3)

    def test_drop_must_keep_a_twentieth(self) -> None:
        def gaps(rows: int) -> pl.DataFrame:
            return table(100, a=[*np.arange(rows) / 2, *[None] * (100 - rows)])

        assert len(prepare(gaps(5), "y", missing="drop").y_train) == 5
        assert "Got 4 of 100 rows" in refusal(gaps(4), missing="drop")

    def test_a_mostly_missing_target_is_no_reason_against_drop(self) -> None:
        frame = table(100).with_columns(y=pl.Series([1.0, 2.0, 3.0, *[None] * 97]))
        assert len(prepare(frame, "y", missing="drop").y_train) == 3


class TestOtherFrames:
    def test_lazy_pandas_and_arrow(self) -> None:
        frame = table(20, t=["a", "b"] * 10, gap=[1.5, None, *range(18)])
        expected = prepare(frame, "y", missing="mean")
        for other in (frame.lazy(), frame.to_pandas(), frame.to_arrow()):
            data = prepare(other, "y", missing="mean")
            assert data.feature_names == expected.feature_names
            np.testing.assert_array_equal(data.X_train, expected.X_train)
            np.testing.assert_array_equal(data.y_train, expected.y_train)

    def test_the_callers_frame_is_left_alone(self) -> None:
        frame = table(4, a=[1.0, NAN, 2.0, 3.0])
        before = frame.clone()
        prepare(frame, "y", missing="mean")
        assert frame.equals(before, null_equal=True)


values = st.floats(-1e8, 1e8).map(lambda x: round(x, 3))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    rows=st.lists(
        st.tuples(values, values, st.sampled_from("abc"), values), min_size=3, max_size=25
    ),
    weights=st.lists(st.floats(-100, 100), min_size=5, max_size=5),
    val=st.sampled_from([0.0, 0.4]),
)
def test_weights_in_the_users_units_predict_the_same(
    rows: list[Any], weights: list[float], val: float
) -> None:
    frame = pl.DataFrame(rows, schema=["p", "q", "t", "y"], orient="row")
    try:
        scaled = prepare(frame, "y", val_fraction=val)
    except DataError:
        return  # nothing but constant columns
    plain = prepare(frame, "y", val_fraction=val, standardize=False)
    W, b = np.array([weights[: len(scaled.feature_names)]] * 2), np.array([weights[-1], 0.0])
    W_user, b_user = scaled.to_user_units(W, b)
    predictions = scaled.X_train @ W.T + b
    in_units = plain.X_train @ W_user.T + b_user
    size = 1 + np.abs(plain.X_train) @ np.abs(W_user.T) + np.abs(b_user)
    assert (np.abs(predictions - in_units) <= 1e-11 * size).all()


def test_a_missing_target_is_told_before_the_lack_of_features() -> None:
    table = pl.DataFrame(
        {
            "when": pl.Series(["2024-01-01", "2024-01-02", "2024-01-03"]).str.to_date(),
            "y": [1, None, 3],
        }
    )
    with pytest.raises(DataError, match="The target 'y' must have a value in every row"):
        prepare(table, "y")
    with pytest.raises(DataError, match=r"must be at least 1 column .*dates='parts'"):
        prepare(table, "y", missing="drop")
