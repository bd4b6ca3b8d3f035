"""The two plots of a sweep as Plotly figures, in dictionaries that become JSON.

A colour is a token such as ``"@ink"`` or ``"@rate3"``; `palettes` gives its value in the light and the dark theme, so
that the page can switch between them.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from learnrate._extras import require
from learnrate.report.curves import Curves, Outlook, format_loss, format_rate, mean_interval
from learnrate.report.framing import final_losses, foreseen, leaving, spread, thin, top_of_axis

__all__ = ["MOST_CURVES", "curves_figure", "palettes", "rates_figure"]

MOST_CURVES = 40
"""With more rates, the plot of curves and the table show some of them."""

_MOST_EPOCHS = 300
_MOST_RATES = 2000

_DASHES = {"limit": "solid", "typical": "dashdot", "other": "dash"}
"""Plotly's names of line styles for the kinds of vertical lines of `learnrate.report.framing.FinalLosses`."""

_FIXED = {
    "light": {
        "ink": "#1e293b",
        "quiet": "#64748b",
        "line": "#e2e8f0",
        "limit": "#b5367a",
        "good": "#0f766e",
        "ahead": "rgb(194, 100, 12)",
    },
    "dark": {
        "ink": "#e2e8f0",
        "quiet": "#94a3b8",
        "line": "#334155",
        "limit": "#f472b6",
        "good": "#2dd4bf",
        "ahead": "rgb(251, 146, 60)",
    },
}
_VIRIDIS_ENDS = {"light": (0.0, 0.85), "dark": (0.28, 1.0)}
"""The range of viridis with enough contrast to the page: dark for small rates, light for large ones."""


def palettes(curves: Curves) -> dict[str, dict[str, str]]:
    """The colours of the tokens in each theme. They can be told apart with colour blindness."""
    colors = require("plotly.colors", extra="note", purpose="interactive reports")
    rates = spread(curves, MOST_CURVES)
    rank = np.argsort(np.argsort(curves.lrs[rates])) / max(len(rates) - 1, 1)
    found = {}
    for theme, (low, high) in _VIRIDIS_ENDS.items():
        shades = colors.sample_colorscale("Viridis", list(low + (high - low) * rank))
        named = {f"rate{i}": shade for i, shade in enumerate(shades)}
        found[theme] = {**_FIXED[theme], **named}
    return found


def curves_figure(curves: Curves) -> dict[str, Any]:
    """The plot of loss against epoch or step: a curve for each rate, bands over seeds, predicted curves dashed.

    ``layout.meta`` holds the ranges of the loss axis for ``log`` and ``linear`` (None: fit the data), and the ``ticks``
    of the log axis.
    """
    rates = spread(curves, MOST_CURVES)
    epochs = thin(len(curves.places), _MOST_EPOCHS)
    statistics = mean_interval(curves.losses)
    top = top_of_axis(curves, log=True)
    labels, say = curves.labels(), curves.say
    x = curves.places[epochs].tolist()
    place, text = "%{x}", {}
    if curves.log_positions and curves.positions is not None:  # where the start stands elsewhere
        place, text = "%{text}", {"text": [str(at) for at in curves.positions[epochs]]}
    data: list[dict[str, Any]] = []
    for i, k in enumerate(rates):
        shared = {"x": x, "mode": "lines", "legendgroup": labels[k], "hoverinfo": "skip"}
        if curves.seeds > 1:
            inside = statistics.mean[k] <= top  # no band where the curve has left the plot
            for edge, fill in ((statistics.low, None), (statistics.high, "tonexty")):
                shown = np.where(inside, leaving(edge[k], top, curves.points(k)), np.nan)
                band = {"y": _numbers(shown[epochs])}
                look = {"line": {"width": 0}, "fillcolor": f"@rate{i}/0.18", "fill": fill}
                data.append({**shared, **band, **look})
        if curves.predicted is not None:
            dashed = {"color": f"@rate{i}", "width": 1.2, "dash": "dash"}
            y = _numbers(foreseen(curves.predicted[k], top)[epochs])
            data.append({**shared, "y": y, "line": dashed})
        mean = statistics.mean[k]
        data.append(
            {
                **shared,
                "y": _numbers(leaving(mean, top, curves.points(k))[epochs]),
                "name": labels[k],
                "mode": "lines+markers" if len(x) <= 30 else "lines",
                "marker": {"size": 5},
                "line": {"color": f"@rate{i}", "width": 3 if k == curves.suggested else 2},
                # At the edge of the plot y is not the loss, so hovering shows the loss as text.
                "customdata": [format_loss(loss) for loss in mean[epochs]],
                **text,
                "hoverinfo": "all",
                "hovertemplate": f"{say(curves.unit)} {place}: {say('loss')} %{{customdata}}<br>"
                f"{_text(say(curves.outcomes[k]))}<extra>{labels[k]}</extra>",
            }
        )
    layout = _layout(say(curves.unit), _ranges(curves))
    layout["showlegend"] = False  # the page has its own, which works with the keyboard
    if curves.log_positions:
        ticks = {"tickvals": x, "ticktext": ["0", *(f"{place:g}" for place in x[1:])]}
        layout["xaxis"].update({"type": "log", **ticks})
    elif curves.unit == "epoch" and len(curves.places) <= 12:
        layout["xaxis"]["dtick"] = 1
    return {"data": data, "layout": layout}


def _ranges(curves: Curves) -> dict[str, Any]:
    """Ends of the loss axis where a curve leaves the plot; None to fit the data."""
    inside = curves.losses[np.isfinite(curves.losses) & (curves.losses > 0)]
    ranges: dict[str, Any] = {"log": None, "linear": None, "ticks": None}
    top, linear_top = (top_of_axis(curves, log=log) for log in (True, False))
    lost = not all(np.isfinite(curves.measured(k)).all() for k in range(len(curves.lrs)))
    if inside.size and math.isfinite(top):
        if lost or inside.max() > top:
            ranges["log"] = [math.log10(inside.min() / 2), math.log10(top)]
        if lost or inside.max() > linear_top:
            ranges["linear"] = [0.0, linear_top]
    if inside.size:
        ranges["ticks"] = _ticks([inside.min(), min(inside.max(), top)])
    return ranges


def rates_figure(curves: Curves) -> dict[str, Any]:
    """The plot of final loss against learning rate, on log axes: measured, predicted, floor, limits, suggestion."""
    final, say = final_losses(curves, _MOST_RATES), curves.say
    lrs, mean, inside, top = final.lrs, final.mean, final.inside, final.top
    rates = [format_rate(float(lr)) for lr in lrs]
    measured: dict[str, Any] = {
        "x": _numbers(lrs[inside]),
        "y": _numbers(mean[inside]),
        "mode": "markers",
        "name": say("measured"),
        "marker": {"size": 8, "color": "@ink"},
        "customdata": [rates[i] for i in np.flatnonzero(inside)],
        "hovertemplate": f"lr=%{{customdata}}: {say('loss')} %{{y:.4g}}<extra></extra>",
    }
    if curves.seeds > 1:
        above, below = final.high - mean, mean - final.low
        ends = {"array": _numbers(above[inside]), "arrayminus": _numbers(below[inside])}
        measured["error_y"] = {"type": "data", "symmetric": False, "thickness": 1.2, **ends}
    data = [measured]
    if not curves.whole.all():
        ended, last = curves.ended_early()
        name = say("ended early, at this loss")
        data.append(
            {
                **measured,
                "x": _numbers(ended),
                "y": _numbers(last),
                "name": name,
                "marker": {"size": 8, "color": "@ink", "symbol": "circle-open"},
                "customdata": [format_rate(float(lr)) for lr in ended],
                "error_y": {"visible": False},
            }
        )
    if not inside.all():
        lost = np.flatnonzero(~inside)
        data.append(
            {
                "x": _numbers(lrs[lost]),
                "y": [_number(top)] * lost.size,
                "mode": "markers",
                "name": final.outside,
                "marker": {"symbol": "x", "size": 8, "color": "@limit"},
                "customdata": [rates[i] for i in lost],
                "hovertemplate": f"lr=%{{customdata}}: {final.outside}<extra></extra>",
            }
        )
    if final.predicted is not None:
        data.append(_line(lrs, final.predicted, say("predicted"), "dash"))
    if final.floors is not None:
        data.append(_line(lrs, final.floors, say("floor"), "dot"))
    low = float(mean[inside].min()) if inside.any() else top / 10
    for at, kind, label in final.lines:
        line = {"color": "@limit", "width": 1.6, "dash": _DASHES[kind]}
        ends = {"x": [_number(at)] * 2, "y": [_number(low / 2), _number(top * 1.5)]}
        data.append({**ends, "mode": "lines", "name": label, "line": line, "hoverinfo": "name"})
    if curves.outlook is not None:
        data += _ahead(curves, curves.outlook, [low / 2, top * 1.5])
    if final.suggested is not None:
        lr, loss, label = final.suggested
        ring = {"color": "@good", "width": 3}
        marker = {"size": 16, "symbol": "circle-open", "color": "@good", "line": ring}
        point = {"x": [_number(lr)], "y": [_number(loss)], "mode": "markers"}
        data.append({**point, "name": label, "marker": marker, "hoverinfo": "name"})
    layout = _layout(say("learning rate"), {})
    layout["xaxis"].update({"type": "log", "dtick": _ticks(lrs)})
    layout["yaxis"]["dtick"] = _ticks([low, top])
    return {"data": data, "layout": layout}


def _ahead(curves: Curves, outlook: Outlook, ends: list[float]) -> list[dict[str, Any]]:
    """The rate for a longer run with its band, and how the best rate has moved so far."""
    name, line = curves.say(outlook.label), {"color": "@ahead", "width": 2}
    low, high = _number(outlook.low), _number(outlook.high)
    bottom, top = map(_number, ends)
    shared = {"hoverinfo": "name", "legendgroup": name}
    band = {"x": [low, high, high, low], "y": [bottom, bottom, top, top], "fill": "toself"}
    upright = {"x": [_number(outlook.lr)] * 2, "y": [bottom, top], "line": {**line, "dash": "dash"}}
    moved = {"x": _numbers(outlook.rates), "y": _numbers(outlook.losses), "line": line}
    return [
        {
            **shared,
            **band,
            "mode": "none",
            "fillcolor": "@ahead/0.14",
            "name": name,
            "showlegend": False,
            "hoverinfo": "skip",
        },
        {**shared, **upright, "mode": "lines", "name": name},
        {
            **moved,
            "mode": "lines+markers+text",
            "name": curves.say(
                f"best rate after so many {curves.unit}s, by the lowest loss so far"
            ),
            "text": [str(place) for place in outlook.places],
            "textposition": "top right",
            "textfont": {"color": "@ahead", "size": 11},
            "marker": {"size": 6, "color": "@ahead"},
            "customdata": [format_rate(float(f"{lr:.3g}")) for lr in outlook.rates],
            "hovertemplate": f"{curves.say(curves.unit)} %{{text}}: lr=%{{customdata}}<extra></extra>",
        },
    ]


def _line(x: Any, y: Any, name: str, dash: str) -> dict[str, Any]:
    line = {"color": "@quiet", "width": 1.6, "dash": dash}
    shown: dict[str, Any] = {"x": _numbers(x), "y": _numbers(y), "hoverinfo": "skip"}
    return {**shown, "mode": "lines", "name": name, "line": line}


def _ticks(values: Any) -> int | str | None:
    """Plotly's ``dtick``: 1 for powers of ten, ``"D2"`` for 1, 2 and 5 too, None to let Plotly choose."""
    decades = math.log10(max(values)) - math.log10(min(values)) if min(values) > 0 else 0.0
    return 1 if decades > 3 else "D2" if decades > 1 else None


def _layout(x: str, ranges: dict[str, Any]) -> dict[str, Any]:
    """Axes, margins and fonts. The loss axis has no title: the page shows it above the plot."""
    axis = {"gridcolor": "@line", "linecolor": "@quiet", "zeroline": False, "automargin": True}
    font = {"color": "@ink", "family": "system-ui, sans-serif", "size": 13}
    return {
        "xaxis": {**axis, "title": {"text": x}},
        "yaxis": {**axis, "type": "log", "exponentformat": "power"},
        "legend": {"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0},
        "margin": {"l": 8, "r": 8, "t": 32, "b": 8},  # on top is room for the buttons
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": "@quiet", "activecolor": "@ink"},
        "font": font,
        "hovermode": "closest",
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "meta": ranges,
    }


def _text(words: str) -> str:
    """Escape text, since Plotly reads some HTML tags in its labels."""
    return html.escape(words, quote=False)


def _number(value: Any) -> float | None:
    """Six significant digits, or null where JSON has no number."""
    return float(f"{value:.6g}") if math.isfinite(value) else None


def _numbers(values: Iterable[Any] | Sequence[Any]) -> list[float | None]:
    return [_number(value) for value in values]
