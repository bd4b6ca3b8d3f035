"""Where the average over many runs stays bounded, and where it blows up."""

from __future__ import annotations

import numpy as np
import pytest

from learnrate.theory import Verdict, analyse
from tests.theory.examples import DATA
from tests.theory.simulate import simulate


@pytest.mark.parametrize("sampling", ["independent", "shuffle"])
@pytest.mark.parametrize("name", DATA)
def test_the_mean_is_bounded_below_the_mean_square_limit_and_blows_up_above(
    name: str, sampling: str
) -> None:
    """At 0.9 and 1.3 of it, over 1500 steps or more.

    With heavy tails a rate between the mean-square and the typical-run limit grows by rare runs; 400 runs
    show it as single runs far above their start, and the mean may fall back in between.
    """
    X, y, B = DATA[name]()
    theory = analyse(X, y, B, sampling=sampling)
    limit, typical = theory.limit.value, theory.typical_limit.value
    assert limit is not None
    assert typical is not None
    lrs = limit * np.array([0.9, 1.3])
    losses = simulate(X, y, lrs, B, max(10, 1500 * B // len(X)), runs=400, sampling=sampling)
    start = losses[0, :, 0].mean()
    tail = losses[:, :, losses.shape[2] // 2 :]
    assert tail[0].mean() < 0.5 * start
    assert theory.verdict(float(lrs[0])).verdict is Verdict.SAFE
    if lrs[1] > typical:
        assert theory.verdict(float(lrs[1])).verdict is Verdict.DIVERGES
        assert losses[1, :, -1].mean() > 1e6 * start
    else:
        assert theory.verdict(float(lrs[1])).verdict is Verdict.BORDERLINE
        assert np.median(losses[1, :, -1]) < start
        assert tail[1].max() > 100 * start
