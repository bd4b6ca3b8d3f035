"""The reader's own table, told in both languages, whatever is said of its rates."""

from __future__ import annotations

import pytest

import learnrate
from learnrate.book.note.catalogue import note_texts
from learnrate.book.note.own_data import results_page
from learnrate.sweeps.curved import SAFE, SETTLES, UNSETTLED
from learnrate.theory.verdict import Verdict


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_verdict_has_its_words(lang: str) -> None:
    t = note_texts(lang, "linear")
    for word in (*(verdict.word for verdict in Verdict), SAFE, SETTLES, UNSETTLED):
        assert t(f"word_{word.replace(' ', '_')}")


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("target", ["price", "fast"])
def test_numbers_and_classes_are_told(lang: str, target: str) -> None:
    result = learnrate.sweep(
        "houses", target=target, missing="mean", lrs=[0.01, 0.9, 9.0], momentum=0.0
    )
    page = results_page(result, note_texts(lang, "linear"))
    assert 'id="own-curves"' in page
    assert (note_texts(lang, "linear")("column_accuracy") in page) == (target == "fast")
    assert (" %</td>" in page) == (target == "fast")
    assert "0.01" in page
