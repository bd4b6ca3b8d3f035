"""Problems that hypothesis makes up: sizes, awkward features, rates that converge and rates that don't."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

from learnrate._shapes import Array
from learnrate.data.order import Sampling
from learnrate.linear.problem import LinearProblem
from learnrate.training.schedules import SCHEDULES, schedule_multipliers

FEATURES = ("plain", "offset", "scales", "constant", "duplicated", "zero")
"""Kinds of feature columns; see `features`."""


def features(rng: np.random.Generator, n: int, d: int, kind: str) -> Array:
    """Feature columns, of which some or all are awkward in one way."""
    X = rng.standard_normal((n, d))
    if kind == "offset":
        X += 1e3
    elif kind == "scales":
        X *= 10.0 ** rng.integers(-3, 4, d)
    elif kind == "constant":
        X[:, 0] = 3.7
    elif kind == "duplicated":
        X[:, d // 2] = X[:, 0]
    elif kind == "zero":
        X[:, d // 2] = 0.0
    return X


def make_problem(
    n: int,
    d: int,
    batch_size: int,
    lanes: int,
    epochs: int,
    *,
    kind: str = "plain",
    noise: float = 0.1,
    dtype: str = "float64",
    largest: float = 1.0,
    schedule: str = "constant",
    seed: int = 0,
    **settings: float | Sampling | None,
) -> LinearProblem:
    """A problem whose rates go up to ``largest`` times what is stable on the worst minibatch."""
    rng = np.random.default_rng([seed, n, d])
    X = features(rng, n, d, kind)
    y = X @ (rng.standard_normal(d) / (1e-3 + np.abs(X).max(axis=0))) + 4.2
    y += noise * rng.standard_normal(n)
    limit = batch_size / np.sort((X * X).sum(axis=1) + 1)[-batch_size:].sum()
    return LinearProblem(
        X.astype(dtype),
        y.astype(dtype),
        largest * limit * np.geomspace(1e-2, 1.0, lanes),
        batch_size,
        epochs,
        seed=seed,
        multipliers=schedule_multipliers(schedule, epochs * -(-n // batch_size)),
        **settings,  # type: ignore[arg-type]
    )


@st.composite
def problems(
    draw: st.DrawFn, *, dtype: str = "float64", max_d: int = 12, max_lanes: int = 9, max_n: int = 60
) -> LinearProblem:
    """Any problem within the bounds, options included; every fourth has rates that diverge."""
    n = draw(st.integers(1, max_n), label="n")
    return make_problem(
        n,
        d=draw(st.integers(1, max_d), label="d"),
        batch_size=draw(st.integers(1, n), label="batch size"),
        lanes=draw(st.integers(1, max_lanes), label="lanes"),
        epochs=draw(st.integers(1, 3), label="epochs"),
        kind=draw(st.sampled_from(FEATURES), label="features"),
        noise=draw(st.sampled_from((0.0, 1e-3, 1.0)), label="noise"),
        dtype=dtype,
        largest=draw(st.sampled_from((0.5, 1.0, 2.0, 30.0)), label="largest"),
        schedule=draw(st.sampled_from(sorted(SCHEDULES)), label="schedule"),
        seed=draw(st.integers(0, 5), label="seed"),
        momentum=draw(st.sampled_from((0.0, 0.9)), label="momentum"),
        weight_decay=draw(st.sampled_from((0.0, 0.1)), label="weight decay"),
        **draw(_visits(n)),
    )


@st.composite
def _visits(draw: st.DrawFn, n: int) -> dict[str, Any]:
    """How the examples are visited: all at once in either way, or in blocks."""
    sampling = draw(st.sampled_from(list(Sampling)), label="sampling")
    if sampling is Sampling.INDEPENDENT:
        return {"sampling": sampling}
    return {"block_size": draw(st.none() | st.integers(1, n), label="block size")}


def with_rates(problem: LinearProblem, *lrs: float) -> LinearProblem:
    """The same problem with other learning rates."""
    return replace(problem, lrs=np.array(lrs))
