"""learnrate beside MXNet 1.9.1, whose answers `record_mxnet` wrote down."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from learnrate import autograd, nd
from tests.nd.mxnet_cases import SNIPPETS, answer

ANSWERS = json.loads(
    (Path(__file__).parent / "data" / "mxnet-1.9.1.json").read_text(encoding="utf-8")
)

# Where learnrate does something else, and why.
NO_0D = "MXNet's 0-d arrays cannot be computed with; there are none here"
EMPTY = "arrays without elements may be made and computed with"
WRAPS = "a number that the dtype cannot hold is refused, not wrapped around"
MORE = "works, as one would expect"
DIFFERENT: dict[str, str] = {
    "nd.array(3)": NO_0D,
    "nd.array(None)": NO_0D,
    "repr(nd.array(3))": NO_0D,
    "nd.array(3)+1": NO_0D,
    "nd.array(3)*v": NO_0D,
    "v.take(nd.array(0))": NO_0D,
    "nd.array(3).asnumpy().shape": NO_0D,
    "nd.zeros((0,))": EMPTY,
    "nd.zeros((0,3)).shape": EMPTY,
    "nd.zeros((0,)).shape": EMPTY,
    "nd.ones((0,)) + 1": EMPTY,
    "nd.array([])+1": EMPTY,
    "I + 2**31": WRAPS,
    "I + 2**40": WRAPS,
    "nd.array([nd.array([1,2]),nd.array([3,4])])": MORE,
    "nd.array([v[0],v[1]])": MORE,
    "nd.dot(I,I)": MORE,
    "nd.broadcast_to(v,(2,3))": MORE,
    "x=nd.arange(4); x[1:4]=x[0:3]; x": "the right-hand side is read before it is written over",
    "x=v; x.attach_grad(); g=x.grad; on(); y=x*x; off(); y.backward(); (g, g is x.grad)": (
        "x.grad is one array, written in place, and not a new handle of its memory each time"
    ),
    "x=v; x.attach_grad(); on(); y=x*x; off(); y.backward(nd.array([[1,10,100]])); x.grad": (
        "a head gradient must have the head's shape; MXNet reads whatever memory there is"
    ),
    "x=v; x.attach_grad(); on(); y=x*x; off(); autograd.backward([y,y]); x.grad": (
        "the gradients of two heads add up, also when they are the same array"
    ),
    "x=v; g=nd.zeros(2); autograd.mark_variables(x,g)": (
        "a gradient must have its array's shape; MXNet would write past its end"
    ),
}


def agree(ours: Any, theirs: Any) -> bool:
    """Whether two answers are the same: numbers to float32 rounding, errors of whatever class."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        if "raises" in ours or "raises" in theirs:
            return "raises" in ours and "raises" in theirs
        return ours.keys() == theirs.keys() and all(agree(ours[k], theirs[k]) for k in ours)
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(agree, ours, theirs))
    if isinstance(ours, float) and isinstance(theirs, float):
        return math.isclose(ours, theirs, rel_tol=2e-5, abs_tol=1e-6) or (
            math.isnan(ours) and math.isnan(theirs)
        )
    return type(ours) is type(theirs) and bool(ours == theirs)


@pytest.mark.parametrize("snippet", [s for group in SNIPPETS.values() for s in group])
def test_as_mxnet(snippet: str) -> None:
    ours, theirs = answer(snippet, nd, autograd), ANSWERS[snippet]
    if snippet in DIFFERENT:
        assert not agree(ours, theirs), f"{snippet} agrees by now: take it off the list"
    else:
        assert agree(ours, theirs), f"{snippet}\n  MXNet     {theirs}\n  learnrate {ours}"


def test_every_answer_and_every_difference_belongs_to_a_snippet() -> None:
    snippets = {s for group in SNIPPETS.values() for s in group}
    assert set(ANSWERS) == snippets
    assert set(DIFFERENT) <= snippets
