"""What a report says beside its drawings, from the result of a sweep."""

from __future__ import annotations

import platform

import numpy as np

from learnrate.report.interactive import ReportTexts
from learnrate.sweeps.findings import Findings
from learnrate.version import __version__

__all__ = ["report_texts"]


def report_texts(result: Findings, command: str | None = None) -> ReportTexts:
    """The sentences, facts and origin of a result.

    Parameters
    ----------
    result : Findings
    command : str, optional
        What was typed; the call in Python unless given.
    """
    config = result.config
    facts = {
        "learning rates": f"{len(result.lrs):,}",
        "batch size": str(config.batch_size),
        f"{result.unit}s": f"{result.length:,}",
        **_seeds(config.seed, config.seed + len(result.seeds) - 1),
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


def _seeds(first: int, last: int) -> dict[str, str]:
    return {"seed": str(first)} if first == last else {"seeds": f"{first} to {last}"}
