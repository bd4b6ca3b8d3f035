"""``result.save(path)``: the suffix picks the format."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from learnrate._extras import require
from learnrate._files import check_output, check_output_folder, write_atomically
from learnrate.errors import OutputError
from learnrate.report.tensorboard import require_tensorboard
from learnrate.sweeps.exports import to_tensorboard

if TYPE_CHECKING:
    from learnrate.sweeps.result import SweepResult

__all__ = ["SUFFIXES", "check_sweep_output", "save_sweep"]

_PICTURES = (".png", ".svg", ".pdf")
SUFFIXES = (*_PICTURES, ".html", ".csv", ".parquet", ".json")
"""The formats that `SweepResult.save` knows, beside a folder for TensorBoard."""


def check_sweep_output(path: str | Path) -> Path:
    """`check_output` for the formats of a sweep, and whether the package that they need is there."""
    if _is_folder(path):
        require_tensorboard()
        return check_output_folder(path)
    if not Path(path).suffix:
        raise OutputError(
            f"An output must end in {', '.join(SUFFIXES)}, or in / for TensorBoard. "
            f"Got {str(path)!r} instead."
        )
    path = check_output(path, SUFFIXES)
    if path.suffix.lower() == ".html":
        require("plotly.offline", extra="note", purpose="interactive reports")
    return path


def _is_folder(path: str | Path) -> bool:
    """Whether TensorBoard's files are meant: by a slash at the end, or by a folder that is there."""
    if str(path).endswith(("/", os.sep)):
        return True
    # A folder that is called sweep.png is more likely to be an oversight.
    return path != "" and Path(path).is_dir() and Path(path).suffix.lower() not in SUFFIXES


def save_sweep(
    result: SweepResult, path: str | Path, *, log: bool = True, command: str | None = None
) -> Path:
    """Write ``result`` as the suffix says, and return the place: see `SweepResult.save`."""
    folder = _is_folder(path)
    path = check_sweep_output(path)
    if folder:
        return to_tensorboard(result, path)
    suffix = path.suffix.lower()
    if suffix in _PICTURES:
        from learnrate.report.static import draw_curves, draw_rates, save_figure

        curves = result.curves()
        if path.stem.lower().endswith(("limit", "rates")):
            save_figure(path, lambda ax: draw_rates(curves, ax))
        else:
            save_figure(path, lambda ax: draw_curves(curves, ax, log=log))
    elif suffix == ".html":
        from learnrate.report.interactive import save_report
        from learnrate.sweeps.texts import report_texts

        save_report(path, result.curves(), report_texts(result, command), log=log)
    elif suffix == ".csv":
        write_atomically(path, lambda temporary: result.to_frame().write_csv(temporary))
    elif suffix == ".parquet":
        write_atomically(path, lambda temporary: result.to_frame().write_parquet(temporary))
    else:
        text = json.dumps(result.as_dict(), ensure_ascii=False, indent=1)
        write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))
    return path
