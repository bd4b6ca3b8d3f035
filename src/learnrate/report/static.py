"""Plots of a sweep with matplotlib: loss against epoch, and final loss against learning rate."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from learnrate._files import write_atomically
from learnrate.report.curves import Curves, Outlook, counted, format_rate, mean_interval
from learnrate.report.framing import final_losses, foreseen, leaving, top_of_axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes
else:
    Axes = Any

__all__ = ["chinese_font", "draw_curves", "draw_rates", "save_figure"]

_SHORT_LEGEND = 6
"""With more curves the legend is beside the axes."""

_TICKS = 8
"""The largest number of ticks on a log axis of steps."""

_AHEAD = "#c2640c"
"""What belongs to a longer run."""

_LEGEND_LIMIT = 13
"""With more curves a colour bar replaces the legend."""

_LINES = {"limit": "-", "typical": "-.", "other": "--"}
"""Line styles for the kinds of vertical lines of `learnrate.report.framing.FinalLosses`."""


def draw_curves(curves: Curves, ax: Axes, *, log: bool = True) -> Axes:
    """Plot loss against epoch: a labelled curve for each learning rate, with a band over seeds if there are several.

    Parameters
    ----------
    curves : Curves
        What to plot.
    ax : matplotlib Axes
        Where to plot it.
    log : bool
        Whether the loss axis is logarithmic.
    """
    statistics = mean_interval(curves.losses)
    colours = _colours(curves.lrs)
    many = len(curves.lrs) > _LEGEND_LIMIT
    top = top_of_axis(curves, log=log)
    suggested = None
    for k, label in enumerate(curves.labels()):
        (line,) = ax.plot(
            curves.places,
            leaving(statistics.mean[k], top, curves.points(k)),
            color=colours[k],
            label=label,
            linewidth=1.0 if many else 1.8,
            marker="o" if len(curves.places) <= 30 and not many else None,
            markersize=3.5,
        )
        if k == curves.suggested:
            suggested = line
        if curves.seeds > 1:
            low, high = (
                leaving(edge[k], top, curves.points(k))
                for edge in (statistics.low, statistics.high)
            )
            ax.fill_between(curves.places, low, high, color=colours[k], alpha=0.2, linewidth=0)
        if curves.predicted is not None and not many:
            predicted = foreseen(curves.predicted[k], top)
            ax.plot(curves.places, predicted, color="0.15", linestyle="--", linewidth=1.0)
    _format_axes(curves, ax, log=log)
    if curves.predicted is not None and not many:
        ax.plot([], [], color="0.15", linestyle="--", linewidth=1.0, label=curves.say("predicted"))
    if many:
        _colour_scale(curves, ax)
        if suggested is not None:
            suggested.set(linewidth=2.2, zorder=3)
            ax.legend(handles=[suggested], loc="upper right", fontsize="small")
    else:
        _legend(curves, ax)
    return ax


def draw_rates(curves: Curves, ax: Axes) -> Axes:
    """Plot the final loss against the learning rate, both on log axes.

    Points are means over seeds, with error bars for their 95 % confidence intervals. The predicted loss is dashed and
    the floor dotted, limits are vertical lines, and a ring marks the suggestion. Rates whose loss is not finite, or far
    above the first one, are crosses at the top. For a longer run, its rate is a vertical line with the interval as a band,
    and a line of points, numbered by epoch or step, shows how the best rate has moved.
    """
    final, say = final_losses(curves), curves.say
    lrs, mean = final.lrs[final.inside], final.mean[final.inside]
    ends = mean - final.low[final.inside], final.high[final.inside] - mean
    ax.errorbar(
        lrs,
        mean,
        yerr=list(ends) if curves.seeds > 1 else None,
        fmt="o",
        markersize=4.5,
        color="#3b528b",
        capsize=2,
        label=say(f"measured after {counted(curves.length, curves.unit)}"),
    )
    ax.set_xscale("log")
    ax.set_yscale("log")
    if not curves.whole.all():
        label = say("ended early, at this loss")
        ax.plot(*curves.ended_early(), "o", color="#3b528b", markerfacecolor="none", label=label)
    if not final.inside.all():
        lost = final.lrs[~final.inside]
        top = np.full(lost.size, final.top)
        ax.plot(lost, top, "x", color="#b5367a", label=final.outside, clip_on=False)
    if final.predicted is not None:
        label = say("predicted")
        ax.plot(final.lrs, final.predicted, "--", color="0.35", linewidth=1.2, label=label)
    if final.floors is not None:
        ax.plot(final.lrs, final.floors, ":", color="0.35", label=say("floor"))
    for at, kind, label in final.lines:
        ax.axvline(at, color="#b5367a", linestyle=_LINES[kind], linewidth=1.0, label=label)
    if curves.outlook is not None:
        _draw_outlook(curves, curves.outlook, ax)
    if final.suggested is not None:
        lr, loss, label = final.suggested
        ring: dict[str, Any] = {"markeredgecolor": "#1f9e89", "markeredgewidth": 2}
        ax.plot(lr, loss, "o", markersize=12, markerfacecolor="none", label=label, **ring)
    ax.set_xlabel(curves.say("learning rate"))
    ax.set_ylabel(curves.say(f"final {curves.quantity}"))
    ax.grid(visible=True, which="major", alpha=0.3)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    ax.legend(loc="best", fontsize="small")
    return ax


def _draw_outlook(curves: Curves, outlook: Outlook, ax: Axes) -> None:
    """The rate for a longer run with its band, and how the best rate has moved so far."""
    ax.axvspan(outlook.low, outlook.high, color=_AHEAD, alpha=0.12, linewidth=0)
    label = curves.say(outlook.label)
    ax.axvline(outlook.lr, color=_AHEAD, linestyle="--", linewidth=1.4, label=label)
    label = curves.say(f"best rate after so many {curves.unit}s, by the lowest loss so far")
    ax.plot(outlook.rates, outlook.losses, ".-", color=_AHEAD, linewidth=1.0, label=label)
    for at in zip(outlook.rates, outlook.losses, outlook.places, strict=True):
        ax.annotate(
            f"{at[2]}",
            at[:2],
            (4, 3),
            textcoords="offset points",
            color=_AHEAD,
            fontsize="x-small",
            clip_on=True,
        )


def _format_axes(curves: Curves, ax: Axes, *, log: bool) -> None:
    """Set scale, limits, labels and grid."""
    from matplotlib.ticker import MaxNLocator

    inside = curves.losses[np.isfinite(curves.losses) & (curves.losses > 0)]
    if log and inside.size:
        ax.set_yscale("log")
    top = top_of_axis(curves, log=log)
    if inside.size and inside.max() > top > 0:
        ax.set_ylim(float(inside.min()) / 2 if log else 0.0, top)
    ax.set_xlabel(curves.say(curves.unit))
    ax.set_ylabel(curves.say(curves.quantity))
    if curves.log_positions:
        ax.set_xscale("log", base=2)
        ticks = curves.places[:: -(-len(curves.places) // _TICKS)]
        ax.set_xticks(ticks, ["0", *(f"{tick:g}" for tick in ticks[1:])])
    else:
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.grid(visible=True, which="major", alpha=0.3)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)


def _legend(curves: Curves, ax: Axes) -> None:
    """Draw the legend in the upper right corner, or beside the axes where it is long."""
    title = None
    if curves.limit is not None:
        local = {"settles", "proved safe", "will not settle"} & set(curves.verdicts or ())
        word = "settles" if local else "safe"
        title = curves.say(f"{word} below lr={format_rate(curves.limit)}")
    legend = ax.legend(loc="upper right", fontsize="small", title=title, title_fontsize="small")
    if len(curves.lrs) > _SHORT_LEGEND:
        legend.set_loc("upper left")
        legend.set_bbox_to_anchor((1.01, 1.0))


def _colours(lrs: Any) -> list[Any]:
    """The colour of each rate, from viridis: dark for small rates, light for large ones."""
    from matplotlib import colormaps

    rank = np.argsort(np.argsort(lrs))
    return [colormaps["viridis"](0.85 * r / max(len(lrs) - 1, 1)) for r in rank]


def _colour_scale(curves: Curves, ax: Axes) -> None:
    """Draw a colour bar of the rates, in place of a long legend."""
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import ListedColormap, LogNorm

    norm = LogNorm(float(curves.lrs.min()), float(curves.lrs.max()))
    shades = ListedColormap(colormaps["viridis"](np.linspace(0, 0.85, 256)))
    bar = ax.figure.colorbar(ScalarMappable(norm, shades), ax=ax, pad=0.02)
    bar.set_label(curves.say(f"learning rate ({len(curves.lrs)} of them)"))


def save_figure(
    path: Path, draw: Any, *, size: tuple[float, float] = (7.2, 4.6), font: str | None = None
) -> None:
    """Plot on a new figure and write it as PNG, SVG or PDF, by the suffix. No window is opened.

    Parameters
    ----------
    path : Path
        Output file.
    draw : callable
        Called with the Axes; plots on them.
    size : (width, height)
        In inches.
    font : str, optional
        The name of a font for characters that matplotlib's default font lacks.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    settings: dict[Any, Any] = {"svg.hashsalt": "learnrate"}
    if font is not None:
        settings["font.family"] = ["DejaVu Sans", font]
    # No date and no random identifiers inside, so that the same sweep gives the same file.
    metadata = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(path.suffix.lower())
    with rc_context(settings):
        figure = Figure(figsize=size, layout="constrained")
        draw(figure.add_subplot())
        write_atomically(
            path, lambda temporary: figure.savefig(temporary, dpi=150, metadata=metadata)
        )


_CHINESE = """
    Noto Sans CJK SC, Noto Sans SC, Source Han Sans SC, Source Han Sans CN, PingFang SC, Hiragino Sans GB, Heiti SC,
    Arial Unicode MS, Microsoft YaHei, SimHei, WenQuanYi Micro Hei, WenQuanYi Zen Hei, Droid Sans Fallback
"""


def chinese_font() -> str | None:
    """A font of this machine that has Chinese characters; None if there is none that is known."""
    return _known_chinese_font() or (_known_chinese_font() if _added_new_fonts() else None)


def _known_chinese_font() -> str | None:
    from matplotlib.font_manager import get_font_names

    here = set(get_font_names())
    return next((name for name in map(str.strip, _CHINESE.split(",")) if name in here), None)


def _added_new_fonts() -> bool:
    """Add the fonts that were installed after matplotlib made its list, which it keeps; whether there are any."""
    from matplotlib.font_manager import findSystemFonts, fontManager

    listed = {font.fname for font in fontManager.ttflist}
    new = [path for path in findSystemFonts() if path not in listed]
    for path in new:
        with contextlib.suppress(OSError, RuntimeError, ValueError):  # what FreeType cannot read
            fontManager.addfont(path)
    return bool(new)
