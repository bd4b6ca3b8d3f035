"""The data sets that ship with learnrate, by the names that stand where a file name could."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from learnrate.data.frames import Frame

__all__ = ["BUILT_IN", "BuiltIn", "load_diabetes"]


@dataclass(frozen=True)
class BuiltIn:
    """A data set that ships with learnrate.

    Attributes
    ----------
    load : callable
        Returns it as a Polars frame.
    target : str
        The column to predict where none is named.
    about : str
        One line for a help text.
    """

    load: Callable[[], Frame]
    target: str
    about: str


def load_diabetes() -> Frame:
    """442 diabetes patients: ten baseline measurements, and the disease's progression a year later.

    Columns ``age``, ``sex``, ``bmi``, ``bp``, ``s1`` to ``s6`` are in raw units; the target is
    ``progression``.

    Source: Efron, Hastie, Johnstone and Tibshirani (2004), "Least Angle Regression", Annals of
    Statistics 32(2), 407–499. Where the values were taken from, and their licence, stands in
    ``diabetes.txt`` beside the table.
    """
    from importlib import resources

    import polars as pl

    file = resources.files("learnrate.data").joinpath("diabetes.csv")
    return pl.read_csv(file.read_bytes(), infer_schema_length=None)


BUILT_IN = {
    "diabetes": BuiltIn(
        load=load_diabetes,
        target="progression",
        about="442 patients, 10 features (Efron et al. 2004)",
    )
}
