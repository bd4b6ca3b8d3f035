"""Saving and loading parameters in the file format of MXNet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from learnrate.compat.mxnet.gluon.parameter import Parameter
from learnrate.errors import DataError
from learnrate.nd.context import check_context
from learnrate.nd.files import read_arrays, write_arrays

__all__ = ["load", "save"]


def save(filename: Any, parameters: dict[str, Parameter]) -> None:
    """Write the values of parameters to a file, whole or not at all."""
    write_arrays(Path(filename), list(parameters), [p.data() for p in parameters.values()])


def load(
    filename: Any,
    parameters: dict[str, Parameter],
    ctx: Any,
    allow_missing: bool,
    ignore_extra: bool,
) -> None:
    """Read a file of `save` into ``parameters``.

    Raises
    ------
    DataError
        If the file is not one that `save` or MXNet wrote, or does not fit.
    """
    for context in ctx if isinstance(ctx, list | tuple) else [ctx]:
        check_context(context)
    values = read_arrays(Path(filename))
    if not isinstance(values, dict):
        raise DataError(
            "A file of parameters must name its arrays, as save_parameters does. "
            f"Got {str(filename)!r} instead, whose arrays have no names; read it with nd.load."
        )
    missing, extra = parameters.keys() - values.keys(), values.keys() - parameters.keys()
    if (missing and not allow_missing) or (extra and not ignore_extra):
        raise DataError(
            f"The parameters in {str(filename)!r} must be those of the network. "
            f"Got {_listed(missing)} missing and {_listed(extra)} too many instead."
        )
    shared = parameters.keys() & values.keys()
    for path in sorted(shared):
        parameters[path].check_fit(values[path].shape)
    for path in shared:
        parameters[path].set_data(values[path])


def _listed(paths: Any) -> str:
    return ", ".join(sorted(paths)) or "none"
