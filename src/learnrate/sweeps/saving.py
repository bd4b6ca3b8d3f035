"""``result.save(path)``: files whose suffix decides the format, and the texts of a report."""

from __future__ import annotations

import json
import os
import platform
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np

from learnrate._extras import require
from learnrate._files import check_output, check_output_folder, write_atomically
from learnrate._translation import as_language, translator
from learnrate.errors import LearnrateWarning, OutputError, not_one_of
from learnrate.report.interactive import ReportTexts, save_report
from learnrate.report.static import chinese_font, draw_curves, draw_rates, save_figure
from learnrate.report.tensorboard import require_tensorboard
from learnrate.sweeps.exports import to_tensorboard
from learnrate.sweeps.findings import Findings
from learnrate.version import __version__

__all__ = ["PICTURES", "SUFFIXES", "check_sweep_output", "report_texts", "save_sweep"]

_NO_FONT = (
    "{path} is labelled in English, because no font with Chinese characters was found. "
    "Install one, such as Noto Sans CJK SC."
)

PICTURES = ("curves", "rates")
"""The kinds of picture: loss against epoch, and final loss against learning rate."""
_PICTURE_FILES = (".png", ".svg", ".pdf")
SUFFIXES = (*_PICTURE_FILES, ".html", ".csv", ".parquet", ".json")
"""The file formats of `SweepResult.save`, which also writes a folder for TensorBoard."""


def check_sweep_output(path: str | Path, picture: str = "curves") -> Path:
    """Check, before training, that the suffix is known, the place can be written and the needed package is installed."""
    if picture not in PICTURES:
        raise not_one_of("picture", picture, PICTURES)
    if picture != "curves":
        return check_output(path, _PICTURE_FILES)
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
    """Whether the path is a folder for TensorBoard: it ends in a slash, or is an existing folder."""
    if str(path).endswith(("/", os.sep)):
        return True
    # A folder named sweep.png is probably a mistake.
    return path != "" and Path(path).is_dir() and Path(path).suffix.lower() not in SUFFIXES


def save_sweep(
    result: Findings,
    path: str | Path,
    *,
    picture: str = "curves",
    log: bool = True,
    command: str | None = None,
    lang: str = "en",
) -> Path:
    """Write ``result`` in the format of the suffix, and return the path: see `SweepResult.save`."""
    as_language(lang)
    folder = _is_folder(path)
    path = check_sweep_output(path, picture)
    if folder:
        return to_tensorboard(result, path)
    suffix = path.suffix.lower()
    if suffix in _PICTURE_FILES:
        font = chinese_font() if lang == "zh" else None
        say = translator("en" if font is None else lang)
        curves = replace(result.curves(), say=say)
        if lang == "zh" and font is None:
            warnings.warn(LearnrateWarning(_NO_FONT.format(path=path)), stacklevel=2)
        if picture == "rates":
            save_figure(path, lambda ax: draw_rates(curves, ax), font=font)
        else:
            save_figure(path, lambda ax: draw_curves(curves, ax, log=log), font=font)
    elif suffix == ".html":
        curves = replace(result.curves(), say=translator(lang))
        save_report(path, curves, report_texts(result, command), log=log)
    elif suffix == ".csv":
        write_atomically(path, lambda temporary: result.to_frame().write_csv(temporary))
    elif suffix == ".parquet":
        write_atomically(path, lambda temporary: result.to_frame().write_parquet(temporary))
    else:
        text = json.dumps(result.as_dict(), ensure_ascii=False, indent=1)
        write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))
    return path


def report_texts(result: Findings, command: str | None = None) -> ReportTexts:
    """The texts of a report: facts, sentences and origin.

    Parameters
    ----------
    result : Findings
        The result.
    command : str, optional
        The command line that made it; by default the call in Python.
    """
    config, first, last = result.config, result.seeds[0], result.seeds[-1]
    seeds = {"seed": str(first)} if first == last else {"seeds": f"{first} to {last}"}
    facts = {
        "learning rates": f"{len(result.lrs):,}",
        "batch size": str(config.batch_size),
        f"{result.unit}s": f"{result.length:,}",
        **seeds,
        "sampling": str(config.sampling),
        "arithmetic": str(config.dtype),
        "engine": result.engine,
    }
    if config.momentum:
        facts["momentum"] = f"{config.momentum:g}"
    if config.weight_decay:
        facts["weight decay"] = f"{config.weight_decay:g}"
    if config.schedule != "constant":
        facts["schedule"] = config.as_dict()["schedule"]
    longer = () if result.wanted is None else (str(result.suggestion(result.wanted)),)
    return ReportTexts(
        title=result.title,
        facts=(*result.data_facts(), *facts.items()),
        sentences=(str(result.suggestion()), *longer, *result.verdict_sentences()),
        remarks=result.remarks(),
        command=command or result.call,
        versions=(
            ("learnrate", __version__),
            ("Python", platform.python_version()),
            ("NumPy", np.__version__),
        ),
        fingerprint=result.fingerprint,
    )
