from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from learnrate.errors import OutputError
from learnrate.report.curves import Curves
from learnrate.report.static import draw_curves, save_figure


def curves(K: int = 4, S: int = 1, *, diverge: bool = False) -> Curves:
    lrs = np.geomspace(0.01, 1, K)
    epochs = np.arange(6)
    losses = 10 * np.exp(-lrs[None, :, None] * epochs * 3) + 1e-3
    losses = losses * np.random.default_rng(0).uniform(0.9, 1.1, (S, K, 1))
    if diverge:
        losses[:, -1] = [10, 1e5, 1e50, 1e300, np.inf, np.nan]
    return Curves(lrs=lrs, losses=losses, outcomes=("fine",) * K)


def test_one_labelled_curve_per_rate_as_in_the_note() -> None:
    ax = draw_curves(curves(), Figure().add_subplot())
    assert [line.get_label() for line in ax.lines] == ["lr=0.01", "lr=0.0464", "lr=0.215", "lr=1"]
    legend = ax.get_legend()
    assert legend is not None
    assert getattr(legend, "_loc") == 1  # noqa: B009  # upper right
    assert ax.get_yscale() == "log"
    for line, losses in zip(ax.lines, curves().losses[0], strict=True):
        np.testing.assert_array_equal(line.get_ydata(), losses)


def test_the_notes_linear_look() -> None:
    assert draw_curves(curves(), Figure().add_subplot(), log=False).get_yscale() == "linear"


def test_seeds_are_a_band() -> None:
    ax = draw_curves(curves(S=5), Figure().add_subplot())
    assert len(ax.collections) == 4
    assert not draw_curves(curves(S=1), Figure().add_subplot()).collections


def test_a_diverging_curve_leaves_the_picture_instead_of_squeezing_it() -> None:
    ax = draw_curves(curves(diverge=True), Figure().add_subplot())
    low, high = ax.get_ylim()
    assert high < 1e3
    assert low > 1e-5


def test_many_rates_get_a_colour_scale_instead_of_a_legend() -> None:
    figure = Figure()
    ax = draw_curves(curves(K=40), figure.add_subplot())
    assert ax.get_legend() is None
    assert len(figure.axes) == 2


def test_the_suggested_rate_is_named_and_alone_stands_out_among_many() -> None:
    few = draw_curves(replace(curves(), suggested=2), Figure().add_subplot())
    assert few.lines[2].get_label() == "lr=0.215 suggested"
    ax = Figure().add_subplot()
    ax.plot([0, 1], [1, 1])  # what the user drew before is no curve of the sweep
    legend = draw_curves(replace(curves(K=40), suggested=7), ax).get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["lr=0.0229 suggested"]
    alone = draw_curves(replace(curves(K=1), suggested=0), Figure().add_subplot())
    assert alone.lines[0].get_label() == "lr=0.01"  # nothing was chosen


@pytest.mark.parametrize(
    ("suffix", "magic"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF")]
)
def test_pictures_are_what_their_suffix_says(tmp_path: Path, suffix: str, magic: bytes) -> None:
    path = tmp_path / f"sweep{suffix}"
    save_figure(path, lambda ax: draw_curves(curves(), ax))
    assert path.read_bytes().startswith(magic)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_failing_drawing_leaves_nothing_and_keeps_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "sweep.png"
    path.write_text("old")

    def fail(temporary: Path) -> None:
        temporary.write_text("half")
        raise OSError(28, "No space left on device")

    from learnrate._files import write_atomically

    with pytest.raises(OutputError, match="No space left"):
        write_atomically(path, fail)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["sweep.png"]
