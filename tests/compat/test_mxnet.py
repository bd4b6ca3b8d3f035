"""Gluon's small part beside MXNet 1.9.1, whose answers `record_mxnet` wrote down."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from learnrate.compat import mxnet as mx
from tests.compat.mxnet_cases import (
    FILES,
    INITIALISERS,
    OPTIMISERS,
    SNIPPETS,
    answer,
    file,
    statistics,
    trajectory,
)
from tests.nd.mxnet_cases import plain
from tests.nd.test_mxnet import agree

ANSWERS = json.loads(
    (Path(__file__).parent / "data" / "mxnet-1.9.1.json").read_text(encoding="utf-8")
)

# Where learnrate does something else, and why.
DIFFERENT = {
    "gluon.loss.L2Loss(weight=None)(p, 2 * p + 1)": "None means no weight, as in other losses"
}


@pytest.mark.parametrize("k", range(len(OPTIMISERS)), ids=lambda k: str(OPTIMISERS[k]))
def test_optimisers_take_mxnets_steps(k: int) -> None:
    # MXNet keeps 1 − β in float32, so its steps differ from the formula by parts in a million.
    ours, theirs = trajectory(mx, *OPTIMISERS[k]), ANSWERS["trajectories"][k]
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_as_mxnet(snippet: str) -> None:
    ours, theirs = answer(mx, snippet, plain), ANSWERS["snippets"][snippet]
    if snippet in DIFFERENT:
        assert not agree(ours, theirs), f"{snippet} agrees by now: take it off the list"
    else:
        assert agree(ours, theirs), f"{snippet}\n  MXNet     {theirs}\n  learnrate {ours}"


@pytest.mark.parametrize("k", range(len(INITIALISERS)), ids=lambda k: str(INITIALISERS[k]))
def test_initialisers_draw_from_mxnets_distributions(k: int) -> None:
    mx.random.seed(0)
    ours, theirs = statistics(mx, *INITIALISERS[k]), ANSWERS["initialisers"][k]
    n = np.prod(INITIALISERS[k][1])
    noise = 5 * theirs["std"] / np.sqrt(n)  # of a mean, and more than of a deviation
    assert abs(ours["mean"] - theirs["mean"]) <= 2 * noise
    assert abs(ours["std"] - theirs["std"]) <= 2 * noise
    bounded = "Normal" not in INITIALISERS[k][0] and "gaussian" not in INITIALISERS[k][0]
    if bounded:
        assert [ours["min"], ours["max"]] == pytest.approx([theirs["min"], theirs["max"]], rel=1e-3)
    else:  # tails, which a uniform distribution of that deviation does not have
        assert min(-ours["min"], ours["max"]) > 3 * ours["std"]


@pytest.mark.parametrize("kind", FILES)
def test_files_are_mxnets_to_the_byte(kind: str, tmp_path: Path) -> None:
    theirs = ANSWERS["files"][kind]
    assert file(mx, kind) == theirs
    path = tmp_path / "theirs"
    path.write_bytes(bytes.fromhex(theirs))
    found = mx.nd.load(path)
    again = tmp_path / "ours"
    mx.nd.save(again, found)
    assert again.read_bytes().hex() == theirs


def test_the_record_has_an_answer_for_every_question() -> None:
    assert len(ANSWERS["trajectories"]) == len(OPTIMISERS)
    assert len(ANSWERS["initialisers"]) == len(INITIALISERS)
    assert list(ANSWERS["snippets"]) == SNIPPETS
    assert set(DIFFERENT) <= set(SNIPPETS)


def raising(found: Any) -> bool:
    return isinstance(found, dict) and "raises" in found


def test_most_questions_have_an_answer_that_is_no_error() -> None:
    assert sum(map(raising, ANSWERS["snippets"].values())) < 12
