from __future__ import annotations

import pytest

import learnrate
from learnrate.book.note.catalogue import note_texts
from learnrate.book.note.linear.exercises import (
    answers,
    half_batch,
    scaled_feature,
    without_half,
    zero_start,
)


def test_the_answers_hold_what_they_say() -> None:
    X, y = learnrate.note_data()
    losses = zero_start(X, y)
    assert float(losses["zero"]) == pytest.approx(float(losses["random"]), rel=0.1)
    batch = half_batch(X, y)
    assert float(batch["limit5"]) < float(batch["limit10"])
    assert float(batch["loss5"]) < float(batch["loss10"])
    scaled = scaled_feature(X, y, note_texts("en", "linear"))
    assert float(scaled["limit2"]) < 1e-3 < float(scaled["limit1"])
    assert float(scaled["scaled"]) < 1e-3
    assert float(without_half(X, y)["difference"]) < 1e-12
    result = learnrate.sweep(X, y, lrs=0.03, batch_size=10, epochs=3)
    assert losses["random"] == f"{result.losses[0, 0, -1]:.3g}"


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_place_in_an_answer_is_filled(lang: str) -> None:
    found = answers(note_texts(lang, "linear"))
    assert len(found) == 4
    assert "[[" not in "".join(found.values())
