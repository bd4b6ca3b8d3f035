"""Curves of a sweep for TensorBoard and xarray."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from learnrate._extras import require
from learnrate._files import check_output_folder
from learnrate._shapes import Array, Float
from learnrate.report.curves import format_rate
from learnrate.report.tensorboard import Run, save_runs
from learnrate.sweeps.findings import Findings
from learnrate.version import __version__

if TYPE_CHECKING:
    import xarray

__all__ = ["lane_names", "lane_settings", "to_tensorboard", "to_xarray"]

_NOT_QUANTITIES = ("lr", "seed", "epoch", "step", "outcome")

_OF_THE_SWEEP = ("seed", "seeds", "threads")
"""Settings of the whole sweep, which are not written for each lane."""


def to_tensorboard(result: Findings, folder: str | Path) -> Path:
    """One run per lane in a new folder of ``folder``: see `SweepResult.to_tensorboard`."""
    return save_runs(check_output_folder(folder), _runs(result))


def to_xarray(result: Findings) -> xarray.Dataset:
    """Curves with named axes: see `SweepResult.to_xarray`."""
    xr = require("xarray", extra="xarray", purpose="to_xarray()")
    lanes, rates = ("seed", "lr"), ("lr",)
    variables: dict[str, Any] = {
        name: ((*lanes, result.unit), values) for name, values in _quantities(result).items()
    }
    outcomes = [[outcome.name.lower() for outcome in seed] for seed in result.outcomes]
    variables["outcome"] = (lanes, np.array(outcomes))
    if result.r2 is not None:
        variables["r2"] = (lanes, result.r2)
    if result.predicted is not None:
        variables["predicted"] = ((*rates, result.unit), result.predicted)
    if result.floors is not None:
        variables["floor"] = (rates, result.floors)
    if result.verdicts is not None:
        variables["verdict"] = (rates, np.array(result.verdicts))
    dataset: xarray.Dataset = xr.Dataset(
        variables,
        coords={"seed": result.seeds, "lr": result.lrs, result.unit: result.positions},
        attrs=_facts(result),
    )
    return dataset


def _facts(result: Findings) -> dict[str, Any]:
    """Facts about the whole sweep, as numbers and strings, which netCDF and Zarr can store."""
    facts: dict[str, Any] = {
        "title": result.title,
        "learnrate": __version__,
        "limit": result.limit,
        "typical_limit": result.typical_limit,
        "suggested_lr": result.suggestion().lr,
        "suggestion": str(result.suggestion()),
        **_flat(_settings(result)),
    }
    return {
        # netCDF has no type for bool.
        name: int(value) if isinstance(value, bool) else value
        for name, value in facts.items()
        if value is not None
    }


def _settings(result: Findings) -> dict[str, Any]:
    """The settings, with the number of epochs or steps that were trained."""
    trained = {f"{result.unit}s": result.length, "engine": result.engine}
    return {**result.config.as_dict(), **trained}


def _quantities(result: Findings) -> dict[str, Float[Array, "S K epochs"]]:
    """Every curve by its name: the loss, and the other columns of the frame."""
    frame = result.to_frame()
    return {
        name: frame[name].to_numpy().reshape(result.losses.shape)
        for name in frame.columns
        if name not in _NOT_QUANTITIES
    }


def _runs(result: Findings) -> Iterator[Run]:
    """Yield a TensorBoard run for each lane, with its settings and outcome."""
    quantities = _quantities(result)
    settings = lane_settings(_settings(result))
    for s, names in enumerate(lane_names(result.lrs, result.seeds)):
        for k, name in enumerate(names):
            outcome = result.outcomes[s][k]
            yield Run(
                name=name,
                scalars={name: values[s, k] for name, values in quantities.items()},
                positions=result.positions,
                settings={
                    "lr": float(result.lrs[k]),
                    "seed": int(result.seeds[s]),
                    **settings,
                    "outcome": outcome.name.lower(),
                },
                failed=outcome.diverges,
            )


def lane_settings(settings: Mapping[str, Any]) -> dict[str, bool | int | float | str]:
    """Settings that are a lane's own, as plain values by name."""
    common = _flat({name: v for name, v in settings.items() if name not in _OF_THE_SWEEP})
    if "loss" in common:  # the setting, which would have the name of the curve
        common["loss function"] = common.pop("loss")
    return common


def lane_names(lrs: Float[Array, " K"], seeds: Array) -> list[list[str]]:
    """The name of each lane's run: ``names[s][k]``, with the seed if there are several."""
    rates = _names(lrs)
    if len(seeds) == 1:
        return [rates]
    return [[f"{rate},seed={seed}" for rate in rates] for seed in seeds]


def _names(lrs: Float[Array, " K"]) -> list[str]:
    """``lr=0.01`` for every rate; with all digits if two rates would have the same name."""
    short = [format_rate(float(lr)) for lr in lrs]
    texts = short if len(set(short)) == len(short) else [repr(float(lr)) for lr in lrs]
    return [f"lr={text}" for text in texts]


def _flat(settings: Mapping[str, Any]) -> dict[str, bool | int | float | str]:
    """Settings as plain values by name; nested mappings are flattened."""
    flat: dict[str, bool | int | float | str] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            flat.update(_flat(value))
        elif isinstance(value, bool | int | str) or (
            isinstance(value, float) and math.isfinite(value)
        ):
            flat[name] = value
        elif value is not None:
            flat[name] = str(value)
    return flat
