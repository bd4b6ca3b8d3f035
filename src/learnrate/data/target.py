"""The column to predict: which it is, whether it can be used, and the codes of its classes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from learnrate._shapes import Array, Int
from learnrate.data.builtin import BUILT_IN
from learnrate.data.facts import Facts
from learnrate.data.frames import Frame, Series
from learnrate.data.wording import abridged, shortened
from learnrate.errors import DataError, OptionError, did_you_mean, option

__all__ = [
    "MOST_CLASSES",
    "class_codes",
    "classes_of",
    "default_target",
    "holds_classes",
    "known_columns",
    "label_codes",
    "refuse_target",
    "remark_on_kind",
]

MOST_CLASSES = 1_000
_MOST_LISTED = 20  # with more different texts, a message does not list them


def default_target(frame: Frame) -> str:
    """The target of a table where none is named: the column ``y``, or the target of a built-in data set.

    Raises
    ------
    OptionError
        If there is no such column.
    """
    return _target_among(frame.columns)


def _target_among(names: Sequence[str]) -> str:
    for name in ("y", *(data.target for data in BUILT_IN.values())):
        if name is not None and name in names:
            return name
    raise OptionError(
        f"The column to predict must be named with {option('target')}. Got none, and no "
        f"column is called 'y'. Columns: {abridged([shortened(c) for c in names], 12)}."
    )


def known_columns(
    columns: Sequence[str],
    target: str | None,
    features: Sequence[str] | None,
    drop: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> tuple[str, list[str]]:
    """The target and the candidate columns, without those to drop; `OptionError` if a name is not a column's.

    ``notes`` say how the table was read: with the wrong encoding, no name is found.
    """
    if target is None:
        target = _target_among(columns)
    guessed = f" The encoding was guessed; {option('encoding')} chooses another."
    if target not in columns:
        raise OptionError(
            f"{option('target')} must be a column of the table. Got {target!r} instead."
            + did_you_mean(target, columns)
            + (guessed if any("option encoding" in note for note in notes) else "")
        )
    for name in drop:
        if name not in columns:
            raise OptionError(
                f"{option('drop')} must name columns of the table. Got {name!r} instead."
                + _did_you_mean_listed(name, [other for other in columns if other != target])
            )
        if name == target or (features is not None and name in features):
            what = "target" if name == target else "features"
            raise OptionError(
                f"{option('drop')} must not name one of the {what}. Got {name!r} for both; remove it from one."
            )
    names = _known_features(columns, target, features)
    return target, [name for name in names if name not in drop]


def _known_features(
    columns: Sequence[str], target: str, features: Sequence[str] | None
) -> list[str]:
    if features is None:
        return [name for name in columns if name != target]
    names = [features] if isinstance(features, str) else list(features)
    if not names:
        raise OptionError(
            f"{option('features')} must name at least 1 column. Got none; leave it out to use all."
        )
    others = [name for name in columns if name != target]
    for place, name in enumerate(names):
        if name == target:
            raise OptionError(
                f"{option('features')} must not name the target. Got {name!r} for both; remove it from one."
            )
        if name not in others:
            raise OptionError(
                f"{option('features')} must be columns of the table. Got {name!r} instead."
                + _did_you_mean_listed(name, others)
            )
        if name in names[:place]:
            raise OptionError(
                f"{option('features')} must name each column once. Got {name!r} twice."
            )
    return names


def _did_you_mean_listed(name: str, known: Sequence[str]) -> str:
    """`did_you_mean` for a name in a list ``a,b``: a name with a comma in the quotation marks that it needs there."""
    return did_you_mean(name, [f'"{one}"' if "," in one else one for one in known])


def refuse_target(found: Mapping[str, Facts], target: str) -> None:
    """Raise `DataError` unless the target holds numbers or truth values."""
    import polars as pl

    facts = found[target]
    _refuse_without_values(facts)
    if facts.dtype.is_numeric() or facts.dtype == pl.Boolean:
        return
    came, advice = f"values of the type {facts.dtype}", "correct it"
    if facts.is_text and facts.odd is None:
        came = "numbers stored as text"
    elif facts.is_text and facts.odd is not None:
        text, row, count = facts.odd
        came = (
            f"the text {shortened(text)} in data row {row:,} ({count:,} of {facts.rows:,} "
            "values are not numbers)"
        )
        if count == facts.rows - facts.nulls and len(facts.counts) <= _MOST_LISTED:
            came = f"{len(facts.counts)} kinds of text: {_listed(facts.counts)}"
            advice = (
                f"learn them as classes with {option('loss', 'softmax')}, or write them as numbers"
            )
    numeric = [name for name, other in found.items() if other.dtype.is_numeric()]
    others = f", or choose a numeric column: {abridged(numeric, 8)}" if numeric else ""
    raise DataError(f"The target {target!r} must be numeric. Got {came}; {advice}{others}.")


def holds_classes(facts: Facts) -> bool:
    """Whether a target holds classes: truth values, a categorical type, or text without any number."""
    import polars as pl

    if facts.dtype in (pl.Boolean, pl.Categorical, pl.Enum):
        return True
    odd = facts.odd
    return bool(facts.is_text and odd is not None and odd[2] == facts.rows - facts.nulls)


def _refuse_without_values(facts: Facts) -> None:
    if facts.trouble:
        raise DataError(f"{facts.trouble}.")
    if facts.nulls == facts.rows:
        raise DataError(
            f"The target {facts.name!r} must have values. Got {facts.rows:,} missing ones; choose another."
        )


def _listed(counts: Mapping[Any, int]) -> str:
    """``no (40), yes (20)``, in the order of `class_order`."""
    return abridged([f"{name} ({counts[name]:,})" for name in class_order(counts)], 8)


def class_order(names: Iterable[Any]) -> list[Any]:
    """Classes sorted by name, numbers by size, and False before True. Of two classes the second has the code 1."""
    return sorted(names)


def classes_of(facts: Facts) -> dict[str, int]:
    """The classes of a target in the order of their codes, with their numbers of rows.

    Raises
    ------
    DataError
        If there are fewer than 2 classes or more than 1,000, one has a single row, or they are numbers with decimals.
    """
    _refuse_without_values(facts)
    counts = facts.counts if facts.is_text else facts.few
    too_many = counts is None or facts.uncounted
    return _checked(facts.name, None if too_many else counts)


def _checked(target: str, counts: Mapping[Any, int] | None) -> dict[str, int]:
    """The classes in the order of their codes, given how often each value occurs (None: too many values)."""
    if counts is None or len(counts) > MOST_CLASSES:
        raise DataError(
            f"The target {target!r} must hold at most {MOST_CLASSES:,} classes. Got more; is it a number?"
        )
    odd = [value for value in counts if not isinstance(value, str) and value != int(value)]
    if odd:
        raise DataError(
            f"The target {target!r} must hold classes: texts, truth values or whole numbers. Got {min(odd):g}; predict "
            "it as a number."
        )
    ordered = class_order(counts)
    if len(ordered) < 2:
        raise DataError(
            f"The target {target!r} must hold at least 2 classes. Got {shortened(ordered[0])} alone; choose another "
            "column."
        )
    few = [name for name in ordered if counts[name] < 2]
    if len(few) > max(2, len(ordered) // 2):
        raise DataError(
            f"The target {target!r} must hold classes, each in several rows. Got {len(ordered):,} values of which "
            f"{len(few):,} come once; choose another column."
        )
    if few:
        raise DataError(
            f"Each class of the target {target!r} must have at least 2 rows. Got 1 of "
            f"{abridged([shortened(name) for name in few], 8)}; leave such rows out, or join them to another class."
        )
    return {_class_name(name): counts[name] for name in ordered}


def _class_name(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) else str(value)


def class_codes(values: Series, classes: Sequence[str]) -> Int[Array, " rows"]:
    """The code of each value, its index among the classes; int64."""
    import polars as pl

    if values.dtype.is_float():
        values = values.cast(pl.Int64)
    if values.dtype == pl.Boolean:
        return values.to_numpy().astype(np.int64)
    return values.cast(pl.String).cast(pl.Enum(classes)).to_physical().to_numpy().astype(np.int64)


def label_codes(y: Array, target: str) -> tuple[Int[Array, " n"], dict[str, int]]:
    """Class codes of an array of labels, and the classes with their counts.

    Parameters
    ----------
    y : array, shape (n,)
        Texts, truth values or whole numbers.
    target : str
        The name of the labels in messages.

    Raises
    ------
    DataError
        If a label is missing or not finite, there are fewer than 2 classes or more than 1,000, one has a single
        example, or the labels are numbers with decimals.
    """
    if y.dtype.kind in "SO":
        missing = [i for i, value in enumerate(y) if value is None or value != value]
        if missing:
            raise DataError(
                f"Labels must not be missing. Got {y[missing[0]]} in {target}[{missing[0]}] ({len(missing):,} in all); "
                "leave those examples out."
            )
        y = np.array([value.decode() if isinstance(value, bytes) else value for value in y])
    if y.dtype.kind == "f" and not np.isfinite(y).all():
        bad = int(np.flatnonzero(~np.isfinite(y))[0])
        raise DataError(f"Labels must be finite. Got {y[bad]} in {target}[{bad}]; leave it out.")
    if y.dtype.kind not in "biufUT":
        raise DataError(
            f"Labels of classes must be texts, truth values or whole numbers. Got {y.dtype} instead."
        )
    values, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
    classes = _checked(target, dict(zip(values.tolist(), counts.tolist(), strict=True)))
    return codes.reshape(-1).astype(np.int64), classes


def remark_on_kind(facts: Facts) -> list[str]:
    """A note on a numeric target that may be classes: at most 10 different whole numbers."""
    import polars as pl

    few = facts.few
    if (
        facts.dtype == pl.Boolean
        or not few
        or not 2 <= len(few) <= 10
        or facts.rows < 10 * len(few)
    ):
        return []
    if any(value != int(value) for value in few):
        return []
    kinds = ", ".join(_class_name(value) for value in class_order(few))
    loss = "logistic" if len(few) == 2 else "softmax"
    said = f"The target {facts.name!r} holds {len(few)} whole numbers ({kinds}) and is learned as a number, not as classes"
    return [f"{said}; for classes choose the loss {loss}."]
