from __future__ import annotations

import io
import re

import numpy as np
import polars as pl
import pytest
from rich.cells import cell_len
from rich.console import Console

from learnrate.book.steps import Explanation, explain
from learnrate.book.steps.terminal import print_explanation, render_text
from tests.book.steps.conftest import HOSTILE


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("width", [80, 120])
def test_it_fits_the_terminal(note: Explanation, large: Explanation, lang: str, width: int) -> None:
    for e in (note, large):
        for line in render_text(e, lang=lang, width=width).splitlines():
            assert cell_len(line) <= width


def test_every_number_of_a_small_step_is_there(note: Explanation) -> None:
    text = render_text(note)
    for node in note.visited:
        row = next(
            line for line in text.splitlines() if re.match(rf" +{node.visited} +{node.name} ", line)
        )
        assert node.gradient is not None
        shown = [float(number) for number in re.findall(r"-?\d+\.\d+|-?\d+", row.split("[")[1])]
        # A row shows as many decimals as its largest number needs for four digits.
        digit = 1e-3 * np.abs(node.gradient).max()
        np.testing.assert_allclose(shown, node.gradient.ravel(), rtol=0, atol=digit)
    for word in (
        "145",
        "2 × 1",
        "write",
        "subtract",
        "0.03\u00a0/\u00a03\u00a0=\u00a00.01",
        "finite difference",
    ):
        assert word in text


def test_long_lists_are_abridged_with_their_counts(large: Explanation) -> None:
    text = render_text(large, width=120)
    assert "… 25 more rows" in text  # of 32 examples
    assert "… 34 more rows" in text  # of 41 parameters
    assert "… 33 more" in text  # of 40 features
    assert len(text.splitlines()) < 150
    assert "… 另有 25 行" in render_text(large, lang="zh", width=120)


def test_a_short_batch_and_standardised_features_are_explained() -> None:
    text = render_text(explain("diabetes", batch_size=10, step=45))
    assert "takes what is left, here 2." in text
    assert "standardised" in text
    assert "Left out" not in text


def test_names_of_columns_stay_text(hostile: Explanation) -> None:
    out = io.StringIO()
    console = Console(file=out, width=160, force_terminal=True, color_system="standard")
    print_explanation(hostile, console)
    plain = re.sub(r"\x1b\[[\d;]*m", "", out.getvalue())
    assert "[bold red]" in plain
    assert HOSTILE[0][:9] in plain
    assert "�[31m" in plain
    assert not set("\x00\x1b") & set(plain)


def test_a_diverged_step_says_so() -> None:
    text = render_text(explain("note", lr=1e200, step=5))
    assert "at this learning rate training diverges" in text
    assert "cannot be compared" in text


def test_what_was_done_to_a_table_is_told() -> None:
    import polars as pl

    frame = pl.DataFrame({"a": [1.0, 2, 3, None, 5], "same": [1] * 5, "y": [1.0, 2, 3, 4, 6]})
    text = render_text(explain(frame, target="y", missing="drop"))
    assert "Left out: same (" in text
    assert "examples 4" in text


def test_a_start_beside_large_steps_is_not_shown_as_nothing() -> None:
    frame = pl.DataFrame({"a": [1.0, 2.0, 4.0, 3.0], "y": [3e5, 5e5, 9e5, 7e5]})
    e = explain(frame, target="y", batch_size=2)
    line = next(line for line in render_text(e).splitlines() if line.startswith("w[a]"))
    assert float(line.split()[1]) == pytest.approx(e.updates[0].old.item(), rel=1e-3)
