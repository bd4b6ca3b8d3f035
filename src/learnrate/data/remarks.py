"""Remarks on features that are probably computed from the target, and on texts that are probably the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.data.wording import abridged, shortened

__all__ = ["remarks_on_fit", "remarks_on_spelling"]

_LEAST_ROWS = 10
_MOST_ROWS, _MOST_FEATURES = 20_000, 300
_ADVICE = "With the option drop, leave out columns that are computed from the target."
_SUSPICIOUS_R2 = 0.9999  # of one column


def remarks_on_fit(
    X: Float[Array, "n d"], y: Float[Array, " n"], names: Sequence[str]
) -> list[str]:
    """A note on columns that may be computed from the target.

    It names columns that alone leave less than 1/10,000 of the target's variance; or, if there are more examples than
    features, all columns of a fit that is exact up to rounding.
    """
    n, d = X.shape
    step = max(1, -(-n // _MOST_ROWS))
    X, y = X[::step].astype(np.float64), y[::step].astype(np.float64)
    X = X / np.maximum(
        np.abs(X).max(axis=0), 1e-300
    )  # so that squares neither overflow nor underflow
    y = y / max(float(np.abs(y).max()), 1e-300)
    X, y = X - X.mean(axis=0), y - y.mean()
    spread, total = np.sqrt((X**2).sum(axis=0)), float(y @ y)
    if d < 2 or total == 0 or len(y) < _LEAST_ROWS:
        return []
    with np.errstate(all="ignore"):
        alone = np.nan_to_num((X.T @ y) ** 2 / (spread**2 * total))
    close = [names[int(j)] for j in np.flatnonzero(alone > _SUSPICIOUS_R2)]
    if close:
        return [f"The target is fitted by one column alone: {abridged(close)}. {_ADVICE}"]
    n = len(y)
    if d > _MOST_FEATURES or n <= d + 1:
        return []
    rows = slice(0, min(n, 4 * d + 50))
    X = X / np.where(spread > 0, spread, 1)
    theta, *_ = np.linalg.lstsq(
        np.column_stack([X[rows], np.ones(len(y[rows]))]), y[rows], rcond=None
    )
    residual = y - X @ theta[:-1] - theta[-1]
    if residual @ residual > 1e-20 * total:
        return []
    share = np.abs(theta[:-1])
    used = [names[int(j)] for j in np.argsort(-share) if share[j] > 1e-6 * share.max()]
    return [f"The features fit the target exactly: {abridged(used)}. {_ADVICE}"]


def remarks_on_spelling(kinds: Mapping[str, Iterable[str]]) -> list[str]:
    """A note for each column, given its categories or classes, where some differ only in capitals or blanks."""
    notes = []
    for column, texts in kinds.items():
        alike: dict[str, list[str]] = {}
        for text in texts:
            alike.setdefault("".join(text.split()).casefold(), []).append(text)
        groups = [" / ".join(map(shortened, group)) for group in alike.values() if len(group) > 1]
        if groups:
            notes.append(
                f"Texts of {column!r} that differ only in capitals or blanks are learned as different ones: "
                f"{abridged(groups)}."
            )
    return notes
