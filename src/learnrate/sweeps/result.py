"""The result of a sweep, with methods to plot and save it."""

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
            Where to draw; by default a new figure.
        log : bool
            Whether the loss axis is logarithmic; the note's is linear.
        """
        return draw_curves(self.curves(), _new_axes() if ax is None else ax, log=log)

    def plot_rates(self, ax: Axes | None = None) -> Axes:
        """Draw the final loss against the learning rate, log–log, with limits, floor and suggestion.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; by default a new figure.
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

        If the path ends in ``/`` or is an existing folder, it is passed to `to_tensorboard`.

        Parameters
        ----------
        path : str or Path
            Its suffix decides the format. A `Path` cannot end in ``/``; for a new folder give a str.
        picture : {"curves", "rates"}
            What a picture shows: loss against epoch (`plot`), or final loss against learning rate (`plot_rates`).
        log : bool
            Whether the loss axis of a picture is logarithmic, and that of a report when it is opened.
        command : str, optional
            The command line that the report shows as its origin; by default the call in Python.
        lang : {"en", "zh"}
            Language of a picture or a report. A picture in Chinese needs a font that has Chinese characters.

        Raises
        ------
        OutputError
            If the suffix is not known or the file cannot be written; no incomplete file is left.
        """
        return save_sweep(self, path, picture=picture, log=log, command=command, lang=lang)

    def to_tensorboard(self, folder: str | Path) -> Path:
        """Write one run per lane for TensorBoard; needs the extra ``tensorboard``.

        The runs are written to a new folder ``sweep-1``, ``sweep-2``, … inside ``folder`` and named by their rate (and
        seed, if there are several). Each has the scalars ``loss``, ``val_loss`` and metrics by epoch, and its settings
        and outcome in the HParams table. Show them with ``tensorboard --logdir FOLDER``.

        Parameters
        ----------
        folder : str or Path
            Created if it does not exist.

        Returns
        -------
        Path
            The new folder.

        Raises
        ------
        MissingExtraError, OutputError
            If TensorBoard is not installed, or the folder cannot be written.
        """
        return to_tensorboard(self, folder)

    def to_xarray(self) -> xarray.Dataset:
        """Curves with named axes, an ``xarray.Dataset``; needs the extra ``xarray``.

        ``loss``, ``val_loss`` and metrics over ``(seed, lr, epoch)``, ``outcome`` and ``r2`` over
        ``(seed, lr)``, if they are known ``predicted`` over ``(lr, epoch)`` and ``floor`` and ``verdict`` over
        ``lr``; settings, limits and the suggestion in ``attrs``.
        """
        return to_xarray(self)


def _new_axes() -> Axes:
    """Axes of a new pyplot figure, which ``plt.show()`` and notebooks show."""
    from matplotlib import pyplot as plt

    return plt.subplots(layout="constrained")[1]
