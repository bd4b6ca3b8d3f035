"""Static drawings of loss curves with matplotlib: the note's plot."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from learnrate._files import write_atomically
from learnrate.report.curves import Curves, format_rate, mean_interval
from learnrate.report.framing import leaving, top_of_axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes
else:
    Axes = Any

__all__ = ["draw_curves", "draw_rates", "save_figure"]

_SHORT_LEGEND = 6
"""A legend with more curves stands beside the axes."""

_LEGEND_LIMIT = 13
"""More curves than this are told apart by a colour scale instead of a legend."""


def draw_curves(curves: Curves, ax: Axes, *, log: bool = True) -> Axes:
    """Draw one labelled curve per learning rate, with a band where there are several seeds.

    Parameters
    ----------
    curves : Curves
        What to draw.
    ax : matplotlib Axes
        Where to draw.
    log : bool
        A log loss axis; False gives the note's linear one.
    """
    statistics = mean_interval(curves.losses)
    colours = _colours(curves.lrs)
    many = len(curves.lrs) > _LEGEND_LIMIT
    top = top_of_axis(curves, log=log)
    suggested = None
    for k, label in enumerate(curves.labels()):
        (line,) = ax.plot(
            curves.epochs,
            leaving(statistics.mean[k], top),
            color=colours[k],
            label=label,
            linewidth=1.0 if many else 1.8,
            marker="o" if len(curves.epochs) <= 30 and not many else None,
            markersize=3.5,
        )
        if k == curves.suggested:
            suggested = line
        if curves.seeds > 1:
            low, high = leaving(statistics.low[k], top), leaving(statistics.high[k], top)
            ax.fill_between(curves.epochs, low, high, color=colours[k], alpha=0.2, linewidth=0)
        if curves.predicted is not None and not many:
            predicted = leaving(curves.predicted[k], top)
            ax.plot(curves.epochs, predicted, color="0.15", linestyle="--", linewidth=1.0)
    _dress(curves, ax, log=log)
    if curves.predicted is not None and not many:
        ax.plot([], [], color="0.15", linestyle="--", linewidth=1.0, label="predicted")
    if many:
        _colour_scale(curves, ax)
        if suggested is not None:
            suggested.set(linewidth=2.2, zorder=3)
            ax.legend(handles=[suggested], loc="upper right", fontsize="small")
    else:
        _legend(curves, ax)
    return ax


def draw_rates(curves: Curves, ax: Axes) -> Axes:
    """Draw the final loss against the learning rate, log–log: measured, with what was predicted.

    Measured means with their intervals over seeds, the predicted loss (dashed) and floor (dotted), the
    limits as vertical lines, and the suggestion marked. Rates whose loss is not finite are crosses at the
    top.
    """
    final = mean_interval(curves.losses[:, :, -1])
    start = float(curves.losses[:, :, 0].max())
    top = 5 * start
    order = np.argsort(curves.lrs)
    lrs, mean = curves.lrs[order], final.mean[order]
    inside = np.isfinite(mean) & (mean < top)
    low, high = final.low[order][inside], final.high[order][inside]
    ax.errorbar(
        lrs[inside],
        mean[inside],
        yerr=[mean[inside] - low, high - mean[inside]] if curves.seeds > 1 else None,
        fmt="o",
        markersize=4.5,
        color="#3b528b",
        capsize=2,
        label=f"measured after {len(curves.epochs) - 1} epochs",
    )
    ax.set_xscale("log")
    ax.set_yscale("log")
    if not inside.all():
        lost = lrs[~inside]
        ax.plot(
            lost, np.full(lost.size, top), "x", color="#b5367a", label="diverged", clip_on=False
        )
    if curves.predicted is not None:
        predicted = np.where(curves.predicted[order, -1] < top, curves.predicted[order, -1], np.nan)
        ax.plot(lrs, predicted, "--", color="0.35", linewidth=1.2, label="predicted")
    if curves.floors is not None:
        floors = np.where(curves.floors[order] < top, curves.floors[order], np.nan)
        ax.plot(lrs, floors, ":", color="0.35", label="floor")
    for limit, style, name in (
        (curves.limit, "-", "limit (mean)"),
        (curves.typical_limit, "-.", "limit (typical run)"),
    ):
        if limit is not None:
            label = f"{name}: {format_rate(limit)}"
            ax.axvline(limit, color="#b5367a", linestyle=style, linewidth=1.0, label=label)
    for rate, label in curves.lines:
        ax.axvline(rate, color="#b5367a", linestyle="--", linewidth=1.0, label=label)
    if curves.suggested is not None:
        k = curves.suggested
        ax.plot(
            curves.lrs[k],
            final.mean[k],
            "o",
            markersize=12,
            markerfacecolor="none",
            markeredgecolor="#1f9e89",
            markeredgewidth=2,
            label=f"suggested: {format_rate(float(curves.lrs[k]))}",
        )
    ax.set_xlabel("learning rate")
    ax.set_ylabel(f"final {curves.quantity}")
    ax.grid(visible=True, which="major", alpha=0.3)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    ax.legend(loc="best", fontsize="small")
    return ax


def _dress(curves: Curves, ax: Axes, *, log: bool) -> None:
    """Axes, limits and grid."""
    from matplotlib.ticker import MaxNLocator

    inside = curves.losses[np.isfinite(curves.losses) & (curves.losses > 0)]
    if log and inside.size:
        ax.set_yscale("log")
    top = top_of_axis(curves, log=log)
    if inside.size and inside.max() > top > 0:
        ax.set_ylim(float(inside.min()) / 2 if log else 0.0, top)
    ax.set_xlabel("epoch")
    ax.set_ylabel(curves.quantity)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.grid(visible=True, which="major", alpha=0.3)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)


def _legend(curves: Curves, ax: Axes) -> None:
    """A legend in the upper right corner, as in the note, or beside the axes where it is long."""
    title = None if curves.limit is None else f"safe below lr={format_rate(curves.limit)}"
    legend = ax.legend(loc="upper right", fontsize="small", title=title, title_fontsize="small")
    if len(curves.lrs) > _SHORT_LEGEND:
        legend.set_loc("upper left")
        legend.set_bbox_to_anchor((1.01, 1.0))


def _colours(lrs: Any) -> list[Any]:
    """Colours in the order of the rates: dark for slow, light for fast, safe for colour-blind eyes."""
    from matplotlib import colormaps

    rank = np.argsort(np.argsort(lrs))
    return [colormaps["viridis"](0.85 * r / max(len(lrs) - 1, 1)) for r in rank]


def _colour_scale(curves: Curves, ax: Axes) -> None:
    """A colour bar of the rates in place of a long legend."""
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import ListedColormap, LogNorm

    norm = LogNorm(float(curves.lrs.min()), float(curves.lrs.max()))
    shades = ListedColormap(colormaps["viridis"](np.linspace(0, 0.85, 256)))
    bar = ax.figure.colorbar(ScalarMappable(norm, shades), ax=ax, pad=0.02)
    bar.set_label(f"learning rate ({len(curves.lrs)} of them)")


def save_figure(path: Path, draw: Any, *, size: tuple[float, float] = (7.2, 4.6)) -> None:
    """Draw on a fresh figure and write it as PNG, SVG or PDF, by the suffix; no display is touched.

    Parameters
    ----------
    path : Path
        Output file.
    draw : callable
        Given the Axes.
    size : (width, height)
        In inches.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    draw(figure.add_subplot())
    # No date and no random identifiers inside, so that the same sweep gives the same file.
    metadata = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(path.suffix.lower())
    with rc_context({"svg.hashsalt": "learnrate"}):
        write_atomically(
            path, lambda temporary: figure.savefig(temporary, dpi=150, metadata=metadata)
        )
