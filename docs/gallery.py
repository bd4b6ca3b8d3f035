"""The pictures of docs/curves.md and the README, each with what it claims; `tests/site/test_gallery.py` runs all of it.

From the repository's root, to draw them anew: ``python -m docs.gallery``.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

import learnrate
from learnrate._translation import translator

FIGURES = Path(__file__).parent / "figures"
STYLE: Any = {
    "svg.hashsalt": "learnrate",
    "svg.fonttype": "none",  # text stays text
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


@dataclass(frozen=True)
class Exhibit:
    """One picture: the sweep that it shows, and the verdict and outcome of each of its rates.

    ``losses`` zooms in on a range of losses.
    """

    name: str
    sweep: Callable[[], learnrate.LinearSweepResult]
    verdicts: tuple[str, ...]
    outcomes: tuple[str, ...]
    losses: tuple[float, float] | None = None


def note() -> learnrate.LinearSweepResult:
    """The note's experiment."""
    X, y = learnrate.note_data()
    return learnrate.sweep(X, y, lrs=[0.01, 0.02, 0.03, 0.04], epochs=3)


def slow() -> learnrate.LinearSweepResult:
    """A rate far below the best one."""
    X, y = learnrate.note_data()
    return learnrate.sweep(X, y, lrs=[0.002], epochs=12)


def best() -> learnrate.LinearSweepResult:
    """The suggested rate of the note."""
    X, y = learnrate.note_data()
    return learnrate.sweep(X, y, lrs=[0.04], epochs=12)


def borderline() -> learnrate.LinearSweepResult:
    """A rate between the two limits, with twenty seeds.

    Such lanes make a great deal of every rounding, so the engine is named.
    """
    X, y = learnrate.note_data()
    return learnrate.sweep(X, y, lrs=[1.6], epochs=12, seeds=20, engine="gram")


def diverging() -> learnrate.LinearSweepResult:
    """A rate beyond both limits, and a good one."""
    X, y = learnrate.note_data()
    return learnrate.sweep(X, y, lrs=[0.04, 2.0], epochs=12, engine="gram")


def floor() -> learnrate.LinearSweepResult:
    """Noisy labels: each rate has a floor of its own."""
    X, y = learnrate.synthetic_data([2.0, -3.4], 4.2, 1000, noise=1.0)
    return learnrate.sweep(X, y, lrs=[0.03, 0.3, 1.0], epochs=12, seeds=10)


def houses() -> tuple[Any, Any]:
    """Areas in square metres beside numbers of rooms: features of very different size."""
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.uniform(40, 200, 500), rng.integers(1, 7, 500)])
    return X, X @ [2.0, 15.0] + 50 + rng.normal(0, 10, 500)


def unscaled() -> learnrate.LinearSweepResult:
    """Features as they come."""
    X, y = houses()
    return learnrate.sweep(X, y, lrs=[3e-6, 3e-5], epochs=20)


def scaled() -> learnrate.LinearSweepResult:
    """The same examples with standardised features."""
    X, y = houses()
    return learnrate.sweep(X, y, lrs=[0.003, 0.01, 0.1], epochs=20, standardize=True)


def classes() -> learnrate.LinearSweepResult:
    """Logistic regression: which houses sell fast."""
    return learnrate.sweep(
        "houses",
        target="fast",
        missing="mean",
        lrs=[0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 6.0],
        epochs=10,
    )


FALLING, UNSTEADY, AT_FLOOR = (
    learnrate.Outcome.FALLING,
    learnrate.Outcome.UNSTEADY,
    learnrate.Outcome.AT_FLOOR,
)
EXHIBITS = (
    Exhibit("note", note, ("safe",) * 4, (FALLING, FALLING, AT_FLOOR, AT_FLOOR)),
    Exhibit("slow", slow, ("safe",), (FALLING,)),
    Exhibit("best", best, ("safe",), (AT_FLOOR,)),
    Exhibit("borderline", borderline, ("borderline",), (UNSTEADY,)),
    Exhibit("diverging", diverging, ("safe", "diverges"), (AT_FLOOR, learnrate.Outcome.RISING)),
    Exhibit("floor", floor, ("safe",) * 3, (AT_FLOOR,) * 3, losses=(0.48, 1.1)),
    Exhibit("unscaled", unscaled, ("safe",) * 2, (learnrate.Outcome.CREEPING,) * 2),
    Exhibit("scaled", scaled, ("safe",) * 3, (FALLING, AT_FLOOR, AT_FLOOR)),
    Exhibit(
        "classes",
        classes,
        (*("proved safe",) * 6, "will not settle"),
        (*(FALLING,) * 2, *(learnrate.Outcome.CREEPING,) * 4, learnrate.Outcome.HIGH_FLOOR),
    ),
)


def draw(exhibit: Exhibit, result: learnrate.LinearSweepResult, path: Path) -> None:
    """The loss curves of an exhibit's sweep, as a small SVG file."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5.2, 3.0), layout="constrained")
        ax = result.plot(figure.add_subplot(), log=exhibit.losses is None)
        if exhibit.losses:
            ax.set_ylim(*exhibit.losses)
        figure.savefig(path, metadata={"Date": None})
    # matplotlib leaves blanks at the ends of lines
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(line.rstrip() for line in lines) + "\n", encoding="utf-8")


TEXT = re.compile(r"(<text\b[^>]*>)([^<]*)(</text>)")


def in_chinese(path: Path) -> str:
    """A drawing with its text in Chinese: text is text, shown in the fonts of whoever looks at it."""
    say = translator("zh")
    return TEXT.sub(
        lambda found: found[1] + html.escape(say(html.unescape(found[2])), quote=False) + found[3],
        path.read_text(encoding="utf-8"),
    )


def chinese(path: Path) -> Path:
    """Where the Chinese sister of a drawing lies."""
    return path.with_name(f"{path.stem}.zh-CN{path.suffix}")


if __name__ == "__main__":
    for exhibit in EXHIBITS:
        result = exhibit.sweep()
        path = FIGURES / f"curves-{exhibit.name}.svg"
        draw(exhibit, result, path)
        chinese(path).write_text(in_chinese(path), encoding="utf-8")
        print(exhibit.name, result.verdicts, result.sentences)
        print("   last", result.losses[:, :, -1].round(6).tolist(), "floors", result.floors)
        print("   limits", result.limit, result.typical_limit)
