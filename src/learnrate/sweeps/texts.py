"""What a report says beside its drawings, from the result of a sweep."""

from __future__ import annotations

import platform
from dataclasses import fields
from typing import TYPE_CHECKING

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.report.interactive import ReportTexts
from learnrate.sweeps.config import SweepConfig

if TYPE_CHECKING:
    from learnrate.sweeps.result import SweepResult

__all__ = ["python_call", "report_texts"]

_FEW_RATES = 40


def report_texts(result: SweepResult, command: str | None = None) -> ReportTexts:
    """The sentences, facts and origin of a result.

    Parameters
    ----------
    result : SweepResult
    command : str, optional
        What was typed; the call in Python unless given.
    """
    from learnrate import __version__

    config = result.config
    facts = {
        "learning rates": f"{len(result.lrs):,}",
        "batch size": str(config.batch_size),
        "epochs": str(result.epochs),
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
    return ReportTexts(
        title=result.title,
        facts=(*result.data_facts(), *facts.items()),
        sentences=(str(result.suggestion()), *result.verdict_sentences()),
        remarks=result.remarks(),
        command=command or python_call(config, result.lrs),
        versions=(
            ("learnrate", __version__),
            ("Python", platform.python_version()),
            ("NumPy", np.__version__),
        ),
        fingerprint=result.fingerprint,
    )


def python_call(config: SweepConfig, lrs: Float[Array, " K"]) -> str:
    """The call of `learnrate.sweep` that these settings come from, without the defaults."""
    rates = [repr(float(lr)) for lr in lrs]
    if len(rates) > _FEW_RATES:
        rates = [*rates[:2], "…", rates[-1]]
    words = [f"lrs=[{', '.join(rates)}]"]
    for item in fields(config):
        value = getattr(config, item.name)
        if value != item.default or item.name in ("batch_size", "epochs"):
            shown = repr(str(value)) if isinstance(value, str) else repr(value)
            words.append(f"{item.name}={'…' if callable(value) else shown}")
    return f"learnrate.sweep(X, y, {', '.join(words)})"


def _seeds(first: int, last: int) -> dict[str, str]:
    return {"seed": str(first)} if first == last else {"seeds": f"{first} to {last}"}
