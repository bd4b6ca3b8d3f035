"""The times as bars, on a logarithmic scale: ours and the peers', a group for each case."""

from __future__ import annotations

import math
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.engines.results import Results
from benchmarks.engines.tables import measured, time_of
from benchmarks.pages import STYLE, save_svg

ROWS = {
    "fused float32": ("learnrate, fused", "#b5367a"),
    "gram float32": ("learnrate, gram", "#e49ac0"),
    "rows float32": ("learnrate, rows", "#f0c9de"),
    "JAX": ("JAX, jit(vmap(scan))", "#2c7fb8"),
    "PyTorch": ("PyTorch, rates as columns", "#7fcdbb"),
    "scikit-learn": ("scikit-learn, B = 1", "#bdbdbd"),
    "PyTorch, one rate at a time": ("PyTorch, one rate at a time", "#969696"),
    "MXNet": ("MXNet, one rate at a time", "#636363"),
}
THICK, GAP = 1.0, 1.2


def draw(results: Results) -> Figure:
    """All cases that have been timed."""
    figure = Figure(figsize=(6.4, 9.8), layout="constrained")
    ax = figure.add_subplot()
    height, ticks, seen, least, most = 0.0, [], set(), math.inf, 0.0
    for name in measured(results):
        top = height
        for row, (label, color) in ROWS.items():
            seconds = results.median(name, row)
            if seconds is None:
                continue
            ax.barh(
                height, seconds, THICK, color=color, label=None if row in seen else label, log=True
            )
            ax.annotate(
                time_of(seconds),
                (seconds, height),
                xytext=(3, 0),
                textcoords="offset points",
                va="center",
                fontsize=6.5,
            )
            seen.add(row)
            least, most = min(least, seconds), max(most, seconds)
            height += THICK
        ticks.append(((top + height - THICK) / 2, name))
        height += GAP
    places, names = zip(*ticks, strict=True)
    ax.set_yticks(places, names)
    ax.tick_params(axis="y", length=0)
    ax.invert_yaxis()
    ax.margins(y=0.01)
    ax.set_xlim(10 ** math.floor(math.log10(least)), 4 * most)  # room for the last bar's label
    ax.set_xlabel("seconds of a whole sweep, one thread")
    figure.legend(loc="outside upper center", ncols=2, frameon=False, fontsize=8)
    return figure


def write(results: Results, docs: Path) -> None:
    """Draw into ``figures/engines.svg``."""
    (docs / "figures").mkdir(exist_ok=True)
    with mpl.rc_context(STYLE):
        save_svg(draw(results), docs / "figures" / "engines.svg")
