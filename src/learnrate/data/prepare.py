"""Preparing a table in memory: features, labels, scaling and the held-out rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from learnrate.data.blocks import Blocks
from learnrate.data.frames import as_frame
from learnrate.data.missing import Missing, as_policy
from learnrate.data.options import Table
from learnrate.data.plan import TargetKind, make_plan
from learnrate.data.prepared import Prepared, as_float_type, assemble
from learnrate.data.remarks import remarks_on_fit
from learnrate.data.settle import as_blocks

__all__ = ["prepare"]


def prepare(
    table: Any,
    target: str | None = None,
    *,
    features: Sequence[str] | None = None,
    missing: str = Missing.ERROR,
    standardize: bool = True,
    val_fraction: float = 0.0,
    seed: int = 0,
    dtype: Any = np.float64,
    options: Table | None = None,
    target_kind: TargetKind = "number",
) -> Prepared:
    """Prepare a table for training.

    Numbers and truth values become features unchanged. A text column of k categories becomes k − 1 features that are
    0 or 1 (one-hot, without the most frequent category: for it all are 0). Columns that cannot be used are left out,
    with a reason: see `learnrate.data.columns`.

    Parameters
    ----------
    table : Polars DataFrame or LazyFrame, pandas DataFrame, PyArrow Table, Blocks
        One example per row. NaN, like null, is a missing value.
    target : str, optional
        The column to predict; by default `default_target`.
    features : sequence of str, optional
        The columns to learn from; by default all others.
    missing : {"error", "drop", "mean"}
        What to do with missing values: raise an error, drop the rows, or fill numbers with the mean of the training
        rows and make a category for texts. Rows without a target are never filled.
    standardize : bool
        Whether to scale each feature, also those of categories, to mean 0 and standard deviation 1 on the training
        rows.
    val_fraction : float
        Fraction of the rows to hold out for validation, 0 ≤ fraction < 1, drawn at random by ``seed``.
    seed : int
        At least 0.
    dtype : float64 or float32
        Type of the arrays. Scaling is done in float64.
    options : Table, optional
        How numbers in text are written, how dates are used, which columns to drop.
    target_kind : {"number", "class", "auto"}
        What the target is. With ``"class"`` it holds texts, truth values or whole numbers; the labels are their codes,
        and the held-out rows have the same fraction of every class. ``"auto"`` is ``"class"`` where the target holds
        texts or truth values.

    Raises
    ------
    DataError
        If the table cannot be used; the message says which option helps, if one does. Rows in a message are counted
        from 1, below the header.
    OptionError
        If there is no column of a name, or another argument cannot be used.
    """
    wanted, policy = as_float_type(dtype), as_policy(missing)
    options = options or Table()
    blocks = table if isinstance(table, Blocks) else as_blocks(as_frame(table), options)
    plan = make_plan(
        blocks,
        target,
        features=features,
        policy=policy,
        standardize=standardize,
        val_fraction=val_fraction,
        seed=seed,
        options=options,
        target_kind=target_kind,
    )
    (block,) = plan.table.read()
    prepared = assemble(
        plan.features(block),
        plan.names,
        plan.labels(block),
        rows=None if plan.split is None else plan.split.parts(),
        standardize=standardize,
        dtype=wanted,
        target_name=plan.target,
    )
    remarks = prepared.notes
    if not plan.classes:
        remarks = (*remarks, *remarks_on_fit(prepared.X_train, prepared.y_train, plan.names))
    return replace(
        prepared,
        left_out=plan.left_out,
        references=plan.references,
        notes=(*plan.notes, *remarks),
        classes=tuple(plan.classes),
        class_counts=tuple(plan.classes.values()),
    )
