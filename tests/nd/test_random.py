"""Random arrays: the right distributions, one seed one result, no global state touched."""

from __future__ import annotations

import numpy as np
import pytest

from learnrate import nd
from learnrate.errors import InputError, OptionError


def test_distributions() -> None:
    nd.random.seed(0)
    normal = nd.random.normal(2, 0.5, shape=(100, 100)).asnumpy()
    assert normal.mean() == pytest.approx(2, abs=0.02)
    assert normal.std() == pytest.approx(0.5, abs=0.02)
    uniform = nd.random.uniform(-1, 3, (100, 100)).asnumpy()
    assert uniform.min() >= -1
    assert uniform.max() < 3
    assert uniform.mean() == pytest.approx(1, abs=0.05)
    dice = nd.random.randint(1, 7, shape=2000)
    assert dice.dtype is np.int32
    assert set(dice.asnumpy().tolist()) == {1, 2, 3, 4, 5, 6}


def test_shapes_dtypes_and_out() -> None:
    assert nd.random.normal().shape == (1,)
    assert nd.random.randn(2, 3, loc=1).shape == (2, 3)
    assert nd.random.uniform(shape=4, dtype="float64").dtype is np.float64
    out = nd.zeros((2, 2))
    assert nd.random.normal(out=out) is out
    assert out.norm().asscalar() > 0


def test_one_seed_one_result_and_numpy_is_left_alone() -> None:
    np.random.seed(5)  # noqa: NPY002
    expected = np.random.RandomState(5).normal()
    runs = []
    for seed in (7, 7, 8):
        nd.random.seed(seed)
        runs.append((nd.random.normal(shape=3) + nd.random.uniform(shape=3)).asnumpy().tolist())
    assert runs[0] == runs[1] != runs[2]
    assert np.random.normal() == expected  # noqa: NPY002


def test_shuffle_permutes_rows_into_a_copy() -> None:
    x = nd.arange(20).reshape((10, 2))
    nd.random.seed(1)
    shuffled = nd.random.shuffle(x)
    assert sorted(shuffled.asnumpy().tolist()) == x.asnumpy().tolist()
    assert shuffled.asnumpy().tolist() != x.asnumpy().tolist()
    assert x.asnumpy()[0].tolist() == [0, 1]


def test_refusals() -> None:
    with pytest.raises(OptionError, match="scale must be at least 0"):
        nd.random.normal(scale=-1)
    with pytest.raises(OptionError, match="loc must be a number"):
        nd.random.normal(nd.zeros(2), 1)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="high must be greater"):
        nd.random.randint(5, 5)
    with pytest.raises(InputError, match="shuffle"):
        nd.random.shuffle([1, 2])  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="dtype"):
        nd.random.normal(dtype="string")
