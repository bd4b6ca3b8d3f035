"""Parameters in a file: NumPy's npz, arrays by name, without pickle."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from learnrate._files import write_atomically
from learnrate._shapes import Array
from learnrate.compat.mxnet.gluon.parameter import Parameter
from learnrate.errors import DataError
from learnrate.nd.context import check_context

__all__ = ["load", "save"]


def save(filename: Any, parameters: dict[str, Parameter]) -> None:
    """Write the values of ``parameters``, all of it or nothing."""
    values: dict[str, Any] = {
        place: parameter.data().asnumpy() for place, parameter in parameters.items()
    }

    def write(path: Path) -> None:
        with path.open("wb") as file:  # given a name, NumPy would add a suffix
            np.savez(file, **values)

    write_atomically(Path(filename), write)


def load(
    filename: Any,
    parameters: dict[str, Parameter],
    ctx: Any,
    allow_missing: bool,
    ignore_extra: bool,
) -> None:
    """Read what `save` wrote into ``parameters``.

    Raises
    ------
    DataError
        If the file is not one that `save` wrote, or does not fit.
    """
    check_context(ctx)
    values = _read(Path(filename))
    missing, extra = parameters.keys() - values.keys(), values.keys() - parameters.keys()
    if (missing and not allow_missing) or (extra and not ignore_extra):
        raise DataError(
            f"The parameters in {str(filename)!r} must be those of the network. "
            f"Got {_listed(missing)} missing and {_listed(extra)} too many instead."
        )
    shared = parameters.keys() & values.keys()
    for place in sorted(shared):
        parameters[place].check_fit(values[place].shape)
    for place in shared:
        parameters[place].set_data(values[place])


def _listed(places: Any) -> str:
    return ", ".join(sorted(places)) or "none"


def _read(path: Path) -> dict[str, Array]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return {place: archive[place] for place in archive.files}
    except FileNotFoundError:
        raise DataError(f"The file of parameters must exist. Got {str(path)!r} instead.") from None
    except (OSError, ValueError, EOFError, KeyError, AttributeError, TypeError) as error:
        raise _unreadable(path) from error
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise _unreadable(path) from error


def _unreadable(path: Path) -> DataError:
    return DataError(
        f"The file of parameters must be one that learnrate's save_parameters wrote (npz). "
        f"Got {str(path)!r} instead; MXNet's own files cannot be read."
    )
