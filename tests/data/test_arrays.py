"""Arrays as examples: what is accepted, what is refused, and what is not copied."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from learnrate.data import from_arrays
from learnrate.data.prepare import prepare
from learnrate.errors import DataError, InputError, OptionError

RNG = np.random.default_rng(0)
X = RNG.normal(3, 2, (20, 3))
Y = RNG.normal(size=20)


def refusal(X: Any, y: Any, kind: type[InputError] = DataError, **options: Any) -> str:
    with pytest.raises(kind) as caught:
        from_arrays(X, y, **options)
    message = str(caught.value)
    assert "\n" not in message
    return message


class TestAccepted:
    @pytest.mark.parametrize("dtype", ["float64", "float32"])
    def test_arrays_that_are_right_are_not_copied(self, dtype: str) -> None:
        x, y = X.astype(dtype), Y.astype(dtype)
        data = from_arrays(x, y, dtype=dtype)
        assert data.X_train is x
        assert np.shares_memory(data.y_train, y)
        assert data.scaling is None
        assert data.X_val is None
        assert data.feature_names == ("0", "1", "2")
        assert data.target_name == "y"

    @pytest.mark.parametrize("wanted", ["float64", "float32"])
    @pytest.mark.parametrize("dtype", ["i4", "u1", "?", "f2", "f4", ">f8", np.longdouble])
    def test_other_numbers_are_converted(self, dtype: Any, wanted: str) -> None:
        x = np.asfortranarray((np.abs(X) * 3).astype(dtype))
        data = from_arrays(x, x[:, 0], dtype=wanted)
        assert data.X_train.dtype == data.y_train.dtype == np.dtype(wanted)
        assert data.X_train.flags.c_contiguous
        np.testing.assert_array_equal(data.X_train, x.astype(wanted))

    def test_lists_a_column_of_labels_and_noncontiguous_views(self) -> None:
        data = from_arrays([[1, 2], [3, 4]], [[5], [6]])
        assert data.y_train.tolist() == [5, 6]
        data = from_arrays(X[::2, ::-1], Y[::2])
        np.testing.assert_array_equal(data.X_train, X[::2, ::-1])
        assert data.X_train.flags.c_contiguous

    def test_what_has_asnumpy(self) -> None:
        class Recorded:
            def asnumpy(self) -> Any:
                return X

        np.testing.assert_array_equal(from_arrays(Recorded(), Y).X_train, X)

    def test_names(self) -> None:
        names = ["a", "b", "c"]
        assert from_arrays(X, Y, feature_names=names).feature_names == ("a", "b", "c")
        for frame in (pl.DataFrame(X, schema=names), pl.DataFrame(X, schema=names).to_pandas()):
            assert from_arrays(frame, Y).feature_names == ("a", "b", "c")
        assert "2 names" in refusal(X, Y, feature_names=names[:2])

    def test_a_constant_target_is_remarked_on(self) -> None:
        assert "constant" in from_arrays(X, np.ones(20)).notes[0]
        assert "constant" in from_arrays(X, np.ones(20), val_fraction=0.5).notes[0]

    @pytest.mark.parametrize("val", [0.0, 0.3])
    @pytest.mark.parametrize("dtype", ["float64", "float32"])
    def test_scaled_and_split_as_a_table_is(self, val: float, dtype: str) -> None:
        options: dict[str, Any] = {"val_fraction": val, "seed": 5, "dtype": dtype}
        ours = from_arrays(X, Y, standardize=True, **options)
        frame = pl.DataFrame(X, schema=["0", "1", "2"]).with_columns(y=Y)
        theirs = prepare(frame, "y", **options)
        assert ours.feature_names == theirs.feature_names
        for name in ("X_train", "y_train", "X_val", "y_val"):
            np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))
        assert ours.scaling is not None
        assert theirs.scaling is not None
        np.testing.assert_array_equal(ours.scaling.mean, theirs.scaling.mean)
        np.testing.assert_array_equal(ours.scaling.scale, theirs.scaling.scale)

    def test_the_callers_arrays_are_left_alone(self) -> None:
        x, y = X.copy(), Y.copy()
        from_arrays(x, y, standardize=True, val_fraction=0.5)
        np.testing.assert_array_equal(x, X)
        np.testing.assert_array_equal(y, Y)


class TestRefused:
    @pytest.mark.parametrize(
        ("x", "y", "words"),
        [
            (X[:, 0], Y, ["X must have the shape", "(20,)", "X.reshape(-1, 1)"]),
            (X[None], Y, ["(1, 20, 3)"]),
            (X[:, :0], Y, ["(20, 0)", "1 feature or more"]),
            (X, Y[None], ["y must have the shape", "(1, 20)"]),
            (X, X, ["y must have the shape", "(20, 3)"]),
            (X, 3.0, ["y must have the shape", "()"]),
            (X, Y[:-1], ["same length", "20 rows", "19 labels"]),
            (X[:1], Y[:1], ["at least 2 examples", "Got 1"]),
            (X.astype(complex), Y, ["X must hold real numbers", "complex"]),
            (X.astype(object), Y, ["Python objects"]),
            (X.astype(str), Y, ["texts", "sweep(frame, target=...)"]),
            (X, np.array(["2020-01-01"] * 20, dtype="M8[D]"), ["y must hold", "dates"]),
            ([[1, 2], [3]], [1, 2], ["X must be an array of numbers", "list"]),
            (X, None, ["y must hold real numbers"]),
            (np.ma.masked_greater(X, 3), Y, ["masked values"]),
        ],
    )
    def test_shapes_and_types(self, x: Any, y: Any, words: list[str]) -> None:
        message = refusal(x, y)
        for word in words:
            assert word in message

    @pytest.mark.parametrize("dtype", ["float64", "float32"])
    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    def test_not_finite(self, bad: float, dtype: str) -> None:
        x, y = X.astype(dtype), Y.astype(dtype)
        x[7, 2] = x[9, 0] = y[4] = bad
        message = refusal(x, Y)
        assert f"Got {bad} in X[7, 2] (2 such values" in message
        assert "y[4]" in refusal(X, y)

    def test_too_large_for_float32(self) -> None:
        for x, y, name in ((X * 1e300, Y, "'X'"), (X, Y * 1e300, "'y'")):
            message = refusal(x, y, dtype="float32")
            assert name in message
            assert "float32" in message

    def test_sparse(self) -> None:
        from scipy import sparse

        assert "X.toarray()" in refusal(sparse.csr_array(X), Y)

    def test_a_tensor_that_numpy_cannot_take(self) -> None:
        class Tensor:
            def __array__(self, *_: object, **__: object) -> Any:
                raise RuntimeError(
                    "Can't call numpy() on a tensor that requires grad.\nUse detach."
                )

        message = refusal(Tensor(), Y)
        assert "Tensor" in message
        assert "requires grad" in message

    def test_options(self) -> None:
        assert "float64 or float32" in refusal(X, Y, OptionError, dtype="int64")
        assert "1.0" in refusal(X, Y, OptionError, val_fraction=1.0)


class Hostile:
    """What raises when NumPy asks for an array."""

    def __array__(self, *_: object, **__: object) -> Any:
        raise RuntimeError("no")


@pytest.mark.parametrize(
    ("y", "words"), [("price", r"shape \(examples,\)"), (Hostile(), "a Hostile that NumPy cannot")]
)
def test_labels_that_may_be_classes_are_looked_at_with_care(y: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        from_arrays(np.ones((3, 2)), y, target_kind="auto")
