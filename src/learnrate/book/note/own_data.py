"""The reader's own table: read, trained, and told in words, a drawing and a table."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import learnrate
from learnrate._translation import translator
from learnrate.book.note.catalogue import Texts
from learnrate.book.note.plot import Axis, Line, Plot, render

__all__ = ["bytes_of", "number", "read", "remarks", "results_page"]

_SHADES = ("1", "2", "3", "4")


def read(name: str, contents: bytes | None) -> Any:
    """A table from an uploaded file's name and contents, or from the name alone."""
    if contents is None:
        return learnrate.data.read_table(name)
    with tempfile.TemporaryDirectory() as folder:
        # Only the suffix tells the format; the name itself is the user's and is not used as a path.
        path = Path(folder) / f"upload{Path(name).suffix or '.csv'}"
        path.write_bytes(contents)
        return learnrate.data.read_table(path)


def bytes_of(result: Any, name: str, lang: str) -> bytes:
    """What `SweepResult.save` writes under such a name, in a language."""
    with tempfile.TemporaryDirectory() as folder:
        return bytes(result.save(Path(folder) / name, lang=lang).read_bytes())


def results_page(result: Any, t: Texts) -> str:
    """Suggestion, verdicts, curves and numbers of a sweep."""
    suggestion = result.suggestion()
    verdicts = result.verdicts or ("not known",) * len(result.lrs)
    with np.errstate(all="ignore"):
        final = result.losses[:, :, -1].mean(axis=0)
    columns = {
        "column_rate": [f"{lr:.3g}" for lr in result.lrs],
        "column_loss": [number(value) for value in final],
    }
    if result.data.classes:
        right = result.score[1].mean(axis=0)
        columns["column_accuracy"] = [f"{100 * share:.1f} %" for share in right]
    if result.predicted is not None:
        columns["column_predicted"] = [
            "–" if np.isnan(value) else number(value) for value in result.predicted[:, -1]
        ]
    columns["column_verdict"] = [t(f"word_{word.replace(' ', '_')}") for word in verdicts]
    rows = zip(*columns.values(), strict=True)
    low, high = suggestion.interval or (np.nan, np.nan)
    return render(
        "results.html",
        t=t,
        suggestion=suggestion,
        rate="" if suggestion.lr is None else f"{suggestion.lr:.3g}",
        remarks=remarks(result, t),
        interval=(f"{low:.3g}", f"{high:.3g}"),
        headings=list(columns),
        rows=[(cells, lr == suggestion.lr) for cells, lr in zip(rows, result.lrs, strict=True)],
        plot=_plot(result, t),
    )


def remarks(result: Any, t: Texts) -> list[str]:
    """What was done to the rows of the table, and the columns that were left out."""
    say = translator(t.lang)
    left_out = (t("left_out", name=x.name, reason=say(x.reason)) for x in result.data.left_out)
    return [*map(say, result.data.notes), *left_out]


def _plot(result: Any, t: Texts) -> Plot:
    with np.errstate(all="ignore"):
        mean = result.losses.mean(axis=0)
    E = mean.shape[1] - 1
    suggested = result.suggestion().lr
    order = np.argsort(np.argsort(result.lrs)) * len(_SHADES) // len(result.lrs)
    named = {
        float(result.lrs.min()),
        float(result.lrs.max()),
        suggested,
    }  # all would hide the curves
    marks = [
        Line(
            np.arange(E + 1),
            mean[k],
            colour=_SHADES[order[k]],
            label=f"lr={lr:.3g}" if lr in named else "",
            width=3.5 if lr == suggested else 1.3,
        )
        for k, lr in enumerate(result.lrs)
    ]
    seen = mean[np.isfinite(mean) & (mean > 0)]
    low, start = float(seen.min()) * 0.8, float(mean[:, 0].max())
    high = min(
        float(seen.max()) * 1.2, start * 10
    )  # one that diverges leaves, and the others can be seen
    log = high > 20 * low
    y = Axis(t("loss" if log else "loss_plain"), low if log else 0.0, high, log=log)
    axes = Axis(t("epoch"), 0, E, whole=True), y
    return Plot("own-curves", t("sweep_alt"), *axes, marks)


def number(value: float) -> str:
    """Four digits, or ∞."""
    return f"{value:.4g}" if np.isfinite(value) else "∞"
