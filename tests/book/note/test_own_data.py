"""The reader's own table, told in both languages, whatever is said of its rates."""

from __future__ import annotations

import re

import numpy as np
import pytest

import learnrate
from learnrate.book.note.catalogue import note_texts
from learnrate.book.note.own_data import results_page
from learnrate.book.note.perceptron.own_data import HELD_OUT, beside_linear
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
    result = learnrate.sweep("houses", target=target, missing="mean", lrs=[0.01, 0.9, 9.0])
    page = results_page(result, note_texts(lang, "linear"))
    assert 'id="own-curves"' in page
    assert (note_texts(lang, "linear")("column_accuracy") in page) == (target == "fast")
    assert (" %</td>" in page) == (target == "fast")
    assert "0.01" in page


def test_perceptrons_are_told_beside_linear_regression_on_the_same_rows() -> None:
    result = learnrate.sweep("diabetes", lrs=[0.01, 0.02], epochs=3, val=HELD_OUT)
    assert result.val_losses is not None
    page = beside_linear(result, note_texts("en", "perceptron"))
    cells = re.findall(r"<td[^>]*>(.*?)</td>", page)
    linear = cells[:5]
    assert linear[0] == "linear regression"
    best = int(np.argmin(result.losses[0, :, -1]))
    assert linear[2:4] == [
        f"{found[0, best, -1]:.4g}" for found in (result.losses, result.val_losses)
    ]
    assert cells.count("perceptron") == 6
    held_out = [float(cell.replace("∞", "inf")) for cell in cells[3::5]]
    assert min(held_out[1:]) < result.val_losses[0, best, 0]
