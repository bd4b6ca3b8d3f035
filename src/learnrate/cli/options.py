"""Options of ``learnrate sweep`` that need more than Typer: the optimizer's, a model's, the cluster, and the checkpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from learnrate.errors import OptionError

__all__ = [
    "checkpoint_of",
    "machines_of",
    "parse_options",
    "refuse_with_model",
    "refuse_without_model",
]

_WORDS = {"true": True, "false": False}


def parse_options(given: Sequence[str]) -> dict[str, Any]:
    """``["eps=1e-6", "betas=0.9,0.99"]`` as ``{"eps": 1e-6, "betas": (0.9, 0.99)}``.

    Raises
    ------
    OptionError
        If a text is not NAME=VALUE, a value is not a number, list of numbers, true or false, or a name occurs twice.
    """
    options: dict[str, Any] = {}
    for text in given:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not name.isidentifier() or not value:
            raise OptionError(
                f"--optimizer-option must be NAME=VALUE, such as eps=1e-6. Got {text!r} instead."
            )
        if name in options:
            raise OptionError(f"--optimizer-option must name {name!r} once. Got it twice.")
        options[name] = _value(name, value)
    return options


def _value(name: str, text: str) -> Any:
    if text.casefold() in _WORDS:
        return _WORDS[text.casefold()]
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        raise OptionError(
            f"The value of {name!r} in --optimizer-option must be a number, numbers with commas, true or false. "
            f"Got {text!r} instead."
        ) from None
    return numbers[0] if len(numbers) == 1 else numbers


def refuse_with_model(options: Mapping[str, Any]) -> None:
    """Raise OptionError for an option that only the linear model has."""
    for name, value in options.items():
        if value is not None:
            raise OptionError(
                f"--{name.replace('_', '-')} must come without --model: it is for linear models. "
                f"Got {str(value)!r} with --model; leave one of them out."
            )


def refuse_without_model(options: Mapping[str, Any]) -> None:
    """Raise OptionError for an option that only a PyTorch model has."""
    for name, value in options.items():
        if value is not None:
            raise OptionError(
                f"--{name.replace('_', '-')} goes with --model. Got {value!r} without one; name a model, or leave it out."
            )


def machines_of(address: str | None, split: str | None, model: str | None) -> Any:
    """The cluster of ``--cluster`` and ``--cluster-split``, or None for this machine.

    Raises
    ------
    OptionError
        If an option has no effect.
    """
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


def checkpoint_of(folder: Path | None, every: float | None, required: bool) -> Any:
    """The `learnrate.Checkpoint` in a folder, or None; its other options without a folder are refused."""
    if folder is None:
        for given, name in ((every is not None, "every"), (required, "required")):
            if given:
                raise OptionError(
                    f"--checkpoint-{name} goes with --checkpoint. Got it without one; name a folder with "
                    "--checkpoint, or leave it out."
                )
        return None
    from learnrate.training.checkpoint import Checkpoint

    return Checkpoint(folder, 30.0 if every is None else every, required)
