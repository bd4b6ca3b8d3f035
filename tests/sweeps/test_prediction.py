"""The sentence on the limits: plain, rounded down, and what is not known is said not to be."""

from __future__ import annotations

import numpy as np
import pytest

from learnrate.sweeps.prediction import Prediction
from learnrate.theory import Kind, Quantity, analyse
from tests.theory.examples import DATA

NOT_KNOWN = Quantity.unavailable("too slow to simulate")


def said(limit: Quantity, typical: Quantity, full: float = 1.7506, momentum: float = 0.0) -> str:
    X, y, B = DATA["note"]()
    theory = analyse(X, y, B, momentum=momentum)
    vars(theory).update(
        limit=limit, typical_limit=typical, full_batch_limit=Quantity(full, Kind.EXACT)
    )
    return Prediction(np.array([1e-3]), 3, theory).sentences[0]


def test_the_sentence_on_the_limits() -> None:
    typical = Quantity(1.7684, Kind.ESTIMATE, 0.009)
    assert said(Quantity(1.4039, Kind.EXACT), typical) == (
        "Largest usable rate at batch size 10: 1.40 to be safe on average, 1.76 for most single runs (1.75 with full "
        "batches)."
    )


@pytest.mark.parametrize(
    ("limit", "typical", "text"),
    [
        (Quantity(0.02, Kind.BOUND), NOT_KNOWN, "at least 0.0200 to be safe on average (1.75 with"),
        (Quantity(0.02, Kind.BOUND), NOT_KNOWN, "For single runs it is not known: too slow to"),
        (Quantity(1.0, Kind.EXACT), Quantity(1.5, Kind.ESTIMATE, 0.15), "1.50 ± 0.1 for most"),
        (Quantity(1.0, Kind.EXACT), Quantity(0.98, Kind.ESTIMATE, 0.02), "1.00 ± 0.02 for most"),
        (NOT_KNOWN, Quantity(123.4, Kind.EXACT), "size 10: 123 for most single runs (1.75 with"),
        (NOT_KNOWN, Quantity(123.4, Kind.EXACT), "Which rate is safe on average is not known: too"),
        (NOT_KNOWN, NOT_KNOWN, "batch size 10: 1.75 with full batches. Which rate"),
        (Quantity(1.2e-7, Kind.EXACT), NOT_KNOWN, ": 1.20e-07 to be safe on average"),
    ],
)
def test_what_is_not_known_or_not_sure(limit: Quantity, typical: Quantity, text: str) -> None:
    assert text in said(limit, typical)


def test_momentum_is_named() -> None:
    sentence = said(NOT_KNOWN, Quantity(0.5, Kind.ESTIMATE, 0.001), momentum=0.9)
    assert sentence.startswith("Largest usable rate at batch size 10 with momentum 0.9: 0.500 for")
