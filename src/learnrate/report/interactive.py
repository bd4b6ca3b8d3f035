"""A sweep as one HTML file to send: interactive, self-contained, and offline."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from learnrate._extras import require
from learnrate._files import write_atomically
from learnrate._templates import environment
from learnrate.report.curves import Curves
from learnrate.report.framing import spread
from learnrate.report.plotly_figures import MOST_CURVES, curves_figure, palettes, rates_figure
from learnrate.report.rows import rate_rows

__all__ = ["ReportTexts", "render_report", "save_report"]


@dataclass(frozen=True)
class ReportTexts:
    """What a report says beside its drawings. User text may stand in any of them.

    Attributes
    ----------
    title : str
        Heading of the page.
    facts : tuple of (str, str)
        What was trained on and how: name and value.
    sentences : tuple of str
        Verdicts, the suggestion first.
    remarks : tuple of str
        What was done to the examples.
    command : str
        What made the report.
    versions : tuple of (str, str)
        Programs and their releases.
    fingerprint : str or None
        Of the examples.
    """

    title: str
    facts: tuple[tuple[str, str], ...]
    sentences: tuple[str, ...]
    remarks: tuple[str, ...]
    command: str
    versions: tuple[tuple[str, str], ...]
    fingerprint: str | None = None


def render_report(curves: Curves, texts: ReportTexts, *, log: bool = True) -> str:
    """The page as text. It holds Plotly itself, and a policy that forbids every request.

    Parameters
    ----------
    curves : Curves
        What to draw.
    texts : ReportTexts
        What to say beside it.
    log : bool
        Start with a log loss axis; the page has a switch.

    Raises
    ------
    MissingExtraError
        Without Plotly.
    """
    plotly = require("plotly.offline", extra="note", purpose="interactive reports")
    version = require("plotly", extra="note", purpose="interactive reports").__version__
    rates = spread(curves, MOST_CURVES)
    headings, rows = rate_rows(curves, rates)
    return (
        environment("report")
        .get_template("report.html")
        .render(
            texts=texts,
            versions=(*texts.versions, ("Plotly", version)),
            plotly_js=plotly.get_plotlyjs(),
            drawing={
                "palettes": palettes(curves),
                "curves": curves_figure(curves),
                "rates": rates_figure(curves),
            },
            log=log,
            quantity=curves.quantity,
            predicted=curves.predicted is not None,
            headings=headings,
            rows=list(zip(rows, rates, strict=True)),
            verdicts=curves.verdicts,
            outcomes=curves.outcomes,
            suggested_rate=curves.suggested,
            all_rates=len(curves.lrs),
        )
    )


def save_report(path: Path, curves: Curves, texts: ReportTexts, *, log: bool = True) -> None:
    """Write `render_report` to a file, whole or not at all."""
    page = render_report(curves, texts, log=log)
    write_atomically(path, lambda temporary: temporary.write_text(page, encoding="utf-8"))
