"""The data sets that ship with learnrate. Their names can be given in place of a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from learnrate.data.frames import Frame

__all__ = ["BUILT_IN", "BuiltIn", "built_in", "load_diabetes", "load_houses"]


@dataclass(frozen=True)
class BuiltIn:
    """A data set that ships with learnrate.

    Attributes
    ----------
    name : str
        The name that is given in place of a file.
    load : callable
        Returns it as a Polars frame.
    target : str or None
        The column to predict by default; None if it must be named.
    about : str
        A line for help texts.
    """

    name: str
    load: Callable[[], Frame]
    target: str | None
    about: str


def load_diabetes() -> Frame:
    """442 diabetes patients: ten baseline measurements, and the disease's progression a year later.

    Columns ``age``, ``sex``, ``bmi``, ``bp``, ``s1`` to ``s6`` are in raw units; the target is
    ``progression``.

    Source: Efron, Hastie, Johnstone and Tibshirani (2004), "Least Angle Regression", Annals of
    Statistics 32(2), 407–499. ``diabetes.txt`` beside the table says where the values were taken from, and gives
    their licence.
    """
    from importlib import resources

    import polars as pl

    file = resources.files(__package__).joinpath("diabetes.csv")
    return pl.read_csv(file.read_bytes(), infer_schema_length=None)


def load_houses() -> Frame:
    """200 synthetic houses: area, rooms, year, district, garden (with missing values), date of sale, a class, the price.

    ``price`` is a linear function of the others with noise. ``fast``, yes or no, is the class. They are drawn by
    `learnrate.data.make_houses`.
    """
    from learnrate.data.make_houses import houses

    return houses()


BUILT_IN = {
    "diabetes": BuiltIn(
        name="diabetes",
        load=load_diabetes,
        target="progression",
        about="442 patients, 10 features (Efron et al. 2004)",
    ),
    "houses": BuiltIn(
        name="houses",
        load=load_houses,
        target=None,
        about="200 houses, made up, with gaps, a date, texts and a class",
    ),
}


def built_in(name: str) -> BuiltIn | None:
    """The built-in data set of a name, with or without ``.csv``; None if there is none."""
    return BUILT_IN.get(name.removesuffix(".csv"))
