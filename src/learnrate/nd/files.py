"""Saving and loading arrays in the file format of MXNet. Reading a file executes nothing.

A file holds, in little-endian order: the numbers 0x112, 0 and n (8 bytes each), n arrays, the number of names (8 bytes;
0 for a list), and each name after its length (8 bytes). An array is: the mark 0xF993FAC9 and the kind of storage, 0 (4
bytes each), the number of axes (4), their lengths (8 each), the device's type and number and the type of the elements (4
each), and the elements. 0xF993FACA, the mark of arrays of MXNet's NumPy interface, is read too.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from learnrate._files import write_atomically
from learnrate.errors import DataError, InputError
from learnrate.nd.ndarray import NDArray

__all__ = ["load", "read_arrays", "save", "write_arrays"]

_FILE, _ARRAY, _NUMPY_ARRAY = 0x112, 0xF993FAC9, 0xF993FACA
_TYPES = ("float32", "float64", "float16", "uint8", "int32", "int8", "int64", "bool")
"""The dtypes, each at the index that stands for it in a file."""


def save(fname: Any, data: Any) -> None:
    """Write arrays to a file, whole or not at all.

    Parameters
    ----------
    fname : path
        The file, with any suffix.
    data : NDArray, list of NDArray, or dict of str to NDArray
        The arrays. `load` returns them, a single array in a list.

    Raises
    ------
    InputError
        If ``data`` is not one of these.
    OutputError
        If the file cannot be written.
    """
    if isinstance(data, Mapping):
        names, arrays = list(data), list(data.values())
    else:
        names, arrays = [], list(data) if isinstance(data, list | tuple) else [data]
    if not all(isinstance(array, NDArray) for array in arrays) or not all(
        isinstance(name, str) for name in names
    ):
        raise InputError(
            "nd.save must be given an NDArray, a list of them, or a dict of names and them. "
            f"Got {type(data).__name__} instead."
        )
    write_arrays(Path(fname), names, arrays)


def load(fname: Any) -> Any:
    """Read a file of `save` or of MXNet: a list of arrays, or a dict of arrays by name.

    Raises
    ------
    DataError
        If there is no such file, or it is not a file of arrays.
    """
    return read_arrays(Path(fname))


def write_arrays(path: Path, names: list[str], arrays: list[NDArray]) -> None:
    """Write arrays, with a name for each or without names."""
    parts = [struct.pack("<QQQ", _FILE, 0, len(arrays))]
    for array in arrays:
        values = array.asnumpy()
        shape = values.shape
        kind = _TYPES.index(values.dtype.name)
        parts.append(struct.pack(f"<Iii{len(shape)}q", _ARRAY, 0, len(shape), *shape))
        parts.append(struct.pack("<iii", 1, 0, kind))
        parts.append(values.astype(values.dtype.newbyteorder("<")).tobytes())
    parts.append(struct.pack("<Q", len(names)))
    for name in names:
        encoded = name.encode()
        parts += [struct.pack("<Q", len(encoded)), encoded]
    write_atomically(path, lambda temporary: _write(temporary, parts))


def _write(path: Path, parts: list[bytes]) -> None:
    with path.open("wb") as file:
        file.writelines(parts)


def read_arrays(path: Path) -> list[NDArray] | dict[str, NDArray]:
    """Read a file of arrays: a dict by name, or a list if the arrays have no names."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"The file of arrays must exist. Got {str(path)!r} instead.") from None
    except OSError as error:
        raise DataError(
            f"The file of arrays must be one that can be read. Got {str(path)!r} instead: {error.strerror}."
        ) from error
    try:
        return _arrays(_Reader(content))
    except ValueError as error:
        raise DataError(
            "The file of arrays must be one that nd.save or save_parameters wrote, here or in MXNet, whole. "
            f"Got {str(path)!r} instead: {error}."
        ) from error


class _Reader:
    """Reads numbers and bytes from the content of a file, and checks that there are enough."""

    def __init__(self, content: bytes) -> None:
        self._content, self._place = memoryview(content), 0

    def numbers(self, form: str) -> tuple[int, ...]:
        return struct.unpack("<" + form, self.take(struct.calcsize("<" + form)))

    def take(self, count: int) -> memoryview:
        end = self._place + count
        if not 0 <= count <= len(self._content) - self._place:
            raise ValueError("it ends too early")
        part = self._content[self._place : end]
        self._place = end
        return part


def _arrays(reader: _Reader) -> list[NDArray] | dict[str, NDArray]:
    mark, _, count = reader.numbers("QQQ")
    if mark != _FILE:
        raise ValueError("it begins otherwise")
    arrays = [_array(reader) for _ in range(count)]
    (named,) = reader.numbers("Q")
    if named not in (0, count):
        raise ValueError(f"it has {named} names for {count} arrays")
    names = [str(reader.take(*reader.numbers("Q")), "utf-8") for _ in range(named)]
    return dict(zip(names, arrays, strict=True)) if names else arrays


def _array(reader: _Reader) -> NDArray:
    mark, storage, axes = reader.numbers("Iii")
    if mark not in (_ARRAY, _NUMPY_ARRAY) or storage != 0 or not 0 < axes <= 32:
        raise ValueError("it holds sparse, empty or very old arrays, or something else")
    shape = reader.numbers(f"{axes}q")
    _, _, kind = reader.numbers("iii")
    dtype = np.dtype(_TYPES[kind] if 0 <= kind < len(_TYPES) else "V").newbyteorder("<")
    if dtype.kind == "V" or min(shape) < 0:
        raise ValueError("its elements are of a type that is not known")
    values = np.frombuffer(reader.take(math.prod(shape) * dtype.itemsize), dtype)
    return NDArray(values.reshape(shape).astype(dtype.newbyteorder("=")))
