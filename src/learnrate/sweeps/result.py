"""The handle on what a sweep found: how to look at it, save it and hand it on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from learnrate.report.static import draw_curves, draw_rates
from learnrate.sweeps.exports import to_tensorboard, to_xarray
from learnrate.sweeps.findings import Findings
from learnrate.sweeps.saving import save_sweep

if TYPE_CHECKING:
    import xarray
    from matplotlib.axes import Axes

__all__ = ["SweepResult"]


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class SweepResult(Findings):
    """Curves and outcomes of all lanes of a sweep; see `Findings` for the numbers."""

    def plot(self, ax: Axes | None = None, *, log: bool = True) -> Axes:
        """Draw the note's plot: loss against epoch, one labelled curve per rate.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure unless given.
        log : bool
            A log loss axis (the default), or the note's linear one.
        """
        return draw_curves(self.curves(), _new_axes() if ax is None else ax, log=log)

    def plot_rates(self, ax: Axes | None = None) -> Axes:
        """Draw the final loss against the learning rate, log–log, with limits, floor and suggestion.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure unless given.
        """
        return draw_rates(self.curves(), _new_axes() if ax is None else ax)

    def save(
        self,
        path: str | Path,
        *,
        picture: str = "curves",
        log: bool = True,
        command: str | None = None,
        lang: str = "en",
    ) -> Path:
        """Write a picture (png, svg, pdf), an interactive report (html) or the numbers (csv, parquet, json).

        A name that ends in ``/``, or an existing folder's, is for `to_tensorboard`.

        Parameters
        ----------
        path : str or Path
            Where to; its suffix decides. A Path loses a ``/`` at its end.
        picture : {"curves", "rates"}
            What a picture shows: loss against epoch (`plot`), or final loss against learning rate (`plot_rates`).
        log : bool
            A log loss axis, for a picture, and for the report to start with.
        command : str, optional
            What the report says that it was made with; the call in Python unless given.
        lang : {"en", "zh"}
            Language of a picture or a report. A picture in Chinese needs a font that has Chinese characters.

        Raises
        ------
        OutputError
            For a suffix that is not known or a place that cannot be written; nothing half-written stays.
        """
        return save_sweep(self, path, picture=picture, log=log, command=command, lang=lang)

    def to_tensorboard(self, folder: str | Path) -> Path:
        """Write one run per lane for TensorBoard; needs the extra ``tensorboard``.

        The runs lie in a new folder ``sweep-1``, ``sweep-2``, … of ``folder``, named by their rate (and seed,
        where there are several), with the scalars ``loss``, ``val_loss`` and metrics by epoch, and their
        settings and outcome in the HParams table. Look at them with ``tensorboard --logdir FOLDER``.

        Parameters
        ----------
        folder : str or Path
            Made where there is none.

        Returns
        -------
        Path
            The new folder.

        Raises
        ------
        MissingExtraError, OutputError
            If TensorBoard is not installed, or the place cannot be written.
        """
        return to_tensorboard(self, folder)

    def to_xarray(self) -> xarray.Dataset:
        """Curves with named axes, an ``xarray.Dataset``; needs the extra ``xarray``.

        ``loss``, ``val_loss`` and metrics over ``(seed, lr, epoch)``, ``outcome`` and ``r2`` over
        ``(seed, lr)``, and where known ``predicted`` over ``(lr, epoch)`` and ``floor`` and ``verdict`` over
        ``lr``; settings, limits and the suggestion in ``attrs``.
        """
        return to_xarray(self)


def _new_axes() -> Axes:
    """Axes of a new pyplot figure, so that ``plt.show()`` and notebooks show it."""
    from matplotlib import pyplot as plt

    return plt.subplots(layout="constrained")[1]
