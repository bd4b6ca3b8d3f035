"""The error messages of operators: the operator, what it was given, and what would fit."""

from __future__ import annotations

from typing import Any

import numpy as np

from learnrate.autograd import Operator
from learnrate.errors import InputError

__all__ = ["dtype_error", "number_error", "operand_error", "value_error"]


def value_error(op: Operator, error: Exception, *values: Any) -> InputError:
    """The error for values that an operator cannot use; for two arrays it suggests a shape that fits."""
    if isinstance(error, IndexError):
        return InputError(
            f"{op.name} must be given indices within the array's shape {values[0].shape}. "
            f"Got instead: {error}."
        )
    shapes = [value.shape for value in values if isinstance(value, np.ndarray)]
    if len(shapes) != 2 or isinstance(error, TypeError):
        return InputError(
            f"{op.name} must be given values and shapes that go together. "
            f"Got shape {' and '.join(map(str, shapes))} instead: {error}."
        )
    return InputError(
        f"{op.name} must be given shapes that are equal, or 1, along each axis counted from the last. "
        f"Got {shapes[0]} and {shapes[1]} instead; {_fitting(*shapes)} would fit."
    )


def _fitting(x: tuple[int, ...], y: tuple[int, ...]) -> str:
    """A suggestion, as text, how to make the two shapes fit."""
    for given, other, which in ((y, x, "second"), (x, y, "first")):
        if len(given) < len(other) and given == other[: len(given)]:
            column = given + (1,) * (len(other) - len(given))
            return f".reshape({column}) of the {which}"
    return f"a second shape {x}, or with 1 in place of any length,"


def dtype_error(op: Operator, x: Any, y: Any) -> InputError:
    """The error for two arrays of different dtypes."""
    return InputError(
        f"{op.name} must be given arrays of one dtype. Got {x.dtype} and {y.dtype} instead; "
        f"convert one with .astype({str(x.dtype)!r})."
    )


def number_error(op: Operator, value: Any, array: Any) -> InputError:
    """The error for a number that does not fit the dtype of an array."""
    return InputError(
        f"{op.name} must be given a number that {array.dtype} can hold beside such an array. "
        f"Got {value!r} instead; convert the array with .astype('float32')."
    )


def operand_error(name: str, value: Any, array: Any = None) -> InputError:
    """The error for a value that is not an NDArray (with ``array``: nor a number)."""
    wanted = "an NDArray" if array is None else "an NDArray or a number"
    beside = "" if array is None else f" beside an NDArray of shape {array.shape}"
    return InputError(
        f"{name} must be given {wanted}{beside}. "
        f"Got {type(value).__name__} instead; make it an NDArray with nd.array(…)."
    )
