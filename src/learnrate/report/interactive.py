"""A sweep as one interactive HTML file, which works offline."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from learnrate._extras import require
from learnrate._files import write_atomically
from learnrate._templates import environment
from learnrate.report.curves import Curves, rate_rows
from learnrate.report.framing import spread
from learnrate.report.plotly_figures import MOST_CURVES, curves_figure, palettes, rates_figure

__all__ = ["ReportTexts", "render_report", "save_report"]


@dataclass(frozen=True)
class ReportTexts:
    """The texts of a report. Any of them may contain text of the user's data.

    Attributes
    ----------
    title : str
        Heading of the page.
    facts : tuple of (str, str)
        The examples and the settings: names and values.
    sentences : tuple of str
        The suggestion, then the other findings.
    remarks : tuple of str
        What was changed in the examples before training.
    command : str
        The command or Python call that made the report.
    versions : tuple of (str, str)
        Packages and their versions.
    fingerprint : str or None
        Hash of the examples.
    """

    title: str
    facts: tuple[tuple[str, str], ...]
    sentences: tuple[str, ...]
    remarks: tuple[str, ...]
    command: str
    versions: tuple[tuple[str, str], ...]
    fingerprint: str | None = None


def render_report(curves: Curves, texts: ReportTexts, *, log: bool = True) -> str:
    """The HTML of the page. It contains Plotly itself, and a content security policy that forbids every request.

    Parameters
    ----------
    curves : Curves
        What to plot.
    texts : ReportTexts
        The texts of the page.
    log : bool
        Whether the loss axis is logarithmic at first; the page has a switch.

    Raises
    ------
    MissingExtraError
        If Plotly is not installed.
    """
    plotly = require("plotly.offline", extra="note", purpose="interactive reports")
    version = require("plotly", extra="note", purpose="interactive reports").__version__
    rates = spread(curves, MOST_CURVES)
    headings, rows = rate_rows(curves, rates)
    template = environment("report").get_template("report.html")
    return template.render(
        say=curves.say,
        texts=texts,
        lang=curves.say("en"),
        versions=(*texts.versions, ("Plotly", version)),
        plotly_js=plotly.get_plotlyjs(),
        drawing={
            "palettes": palettes(curves),
            "curves": curves_figure(curves),
            "rates": rates_figure(curves),
        },
        log=log,
        quantity=curves.quantity,
        unit=curves.unit,
        predicted=curves.predicted is not None,
        headings=headings,
        rows=list(zip(rows, rates, strict=True)),
        verdicts=curves.verdicts,
        outcomes=curves.outcomes,
        suggested_rate=curves.suggested,
        all_rates=len(curves.lrs),
    )


def save_report(path: Path, curves: Curves, texts: ReportTexts, *, log: bool = True) -> None:
    """Write the report to an HTML file, whole or not at all.

    Parameters
    ----------
    path : Path
        The file.
    curves : Curves
        What to plot.
    texts : ReportTexts
        The texts of the page.
    log : bool
        Whether the loss axis is logarithmic at first.

    Raises
    ------
    MissingExtraError
        If Plotly is not installed.
    OutputError
        If the file cannot be written.
    """
    page = render_report(curves, texts, log=log)
    write_atomically(path, lambda temporary: temporary.write_text(page, encoding="utf-8"))
