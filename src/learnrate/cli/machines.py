"""The machines that ``--cluster`` names."""

from __future__ import annotations

from typing import Any

from learnrate.errors import OptionError

__all__ = ["machines_of"]


def machines_of(address: str | None, split: str | None, model: str | None) -> Any:
    """The machines to sweep on, or None for this one; refused where they cannot be used."""
    if address is None:
        if split is not None:
            raise OptionError(
                f"--cluster-split goes with --cluster. Got {split!r} without one; add --cluster local, "
                "or leave it out."
            )
        return None
    if model is not None and split == "data":
        raise OptionError(
            "--cluster-split data is for the linear model. Got it with --model; leave it out: the rates are split."
        )
    from learnrate.cluster.ray import RayCluster

    return RayCluster(address, split=split)
