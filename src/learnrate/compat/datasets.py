"""The book's data sets, read from files; without files, synthetic examples of the same shapes.

Nothing is downloaded. Synthetic examples are the same in every run. A line on standard error says that they are used, and
where to put the files.
"""

from __future__ import annotations

import gzip
import math
import os
import sys
import warnings
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from learnrate._shapes import Array
from learnrate._translation import as_language, translator
from learnrate.compat import lookalikes
from learnrate.errors import DataError, OptionError

__all__ = ["airfoil", "images", "new_run"]

_FOLDERS = {
    "fashion-mnist": ("fashion-mnist", "FashionMNIST/raw", "FashionMNIST"),
    "mnist": ("mnist", "MNIST/raw", "MNIST"),
}
"""Usual names of the folder of a data set."""

_AIRFOIL = "airfoil_self_noise.dat"

_MOST_BYTES = 1 << 31
"""The largest array that an idx file may hold; the real ones have 47 million bytes."""

_reported: set[str] = set()

T = TypeVar("T")


def new_run() -> None:
    """Forget which messages were printed, so that the next run prints them again."""
    _reported.clear()


def images(name: str, train: bool, root: Any = None) -> tuple[Array, Array]:
    """Return small grey images and their classes.

    Parameters
    ----------
    name : str
        ``"fashion-mnist"`` or ``"mnist"``.
    train : bool
        The 60,000 examples for training, or the 10,000 for testing.
    root : path, optional
        A folder to search before the usual ones.

    Returns
    -------
    images : array of uint8, shape (n, 28, 28, 1)
    labels : array of int32, shape (n,)

    Raises
    ------
    OptionError
        If ``root`` is not a path.
    DataError
        If there are files, but not in LeCun's idx format.
    """
    part = "train" if train else "t10k"
    for folder in _image_folders(name, root):
        pictures = _file(folder, f"{part}-images-idx3-ubyte")
        classes = _file(folder, f"{part}-labels-idx1-ubyte")
        if pictures and classes:
            return _checked(pictures, _idx(pictures, 3), classes, _idx(classes, 1))
    return _made_up(
        name,
        f"{part}-images-idx3-ubyte.gz and so on in ~/.mxnet/datasets/{name}",
        lambda: lookalikes.images(name, train),
    )


def airfoil() -> Array:
    """Return NASA's measurements of the noise of wings: 1,503 rows, five features and the sound level in dB.

    Raises
    ------
    DataError
        If there is a file that is not a table of six columns of numbers.
    """
    for folder in _data_folders():
        path = folder / _AIRFOIL
        if path.is_file():
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # about a file without rows
                    table = np.loadtxt(path, ndmin=2)
            except (OSError, ValueError) as error:
                raise DataError(
                    f"{_AIRFOIL} must hold rows of 6 numbers. Got {str(path)!r} instead: {error}."
                ) from error
            if table.shape[0] == 0 or table.shape[1] != 6:
                raise DataError(
                    f"{_AIRFOIL} must hold rows of 6 numbers. "
                    f"Got {str(path)!r} with shape {table.shape} instead."
                )
            return table
    return _made_up(_AIRFOIL, f"../data/{_AIRFOIL}", lookalikes.airfoil)


def _made_up(name: str, place: str, make: Callable[[], T]) -> T:
    if name not in _reported:
        _reported.add(name)
        said = (
            f"{name}: no file was found, so made-up examples of the same shapes are used; "
            f"their results are not the book's. For the real ones put {place}."
        )
        print(translator(as_language())(said), file=sys.stderr)
    return make()


def _data_folders() -> Iterator[Path]:
    """The folders ``../data`` and ``data``, as in the book, of the working directory and of the script."""
    main = getattr(sys.modules.get("__main__"), "__file__", None)
    here = [Path(), *([Path(main).resolve().parent] if main else [])]
    for start in here:
        yield from (start / "../data", start / "data", start)


def _image_folders(name: str, root: Any) -> Iterator[Path]:
    if root is not None:
        if not isinstance(root, str | os.PathLike):
            raise OptionError(f"root must be a folder. Got {root!r} instead.")
        given = Path(os.fspath(root)).expanduser()
        yield given
        yield from (given / folder for folder in _FOLDERS[name])
    home = os.environ.get("MXNET_HOME")
    starts = [Path(home) / "datasets"] if home else []
    starts.append(Path("~/.mxnet/datasets").expanduser())
    for start in (*starts, *_data_folders()):
        yield from (start / folder for folder in _FOLDERS[name])


def _file(folder: Path, stem: str) -> Path | None:
    """The file ``stem`` or ``stem.gz`` in a folder; None if there is none."""
    found = (folder / name for name in (stem, f"{stem}.gz"))
    return next((path for path in found if path.is_file()), None)


def _idx(path: Path, axes: int) -> Array:
    """Read an idx file of bytes: two zeros, the type 8, the number of axes, their lengths, the elements."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            head = file.read(4 + 4 * axes)
            shape = tuple(int(n) for n in np.frombuffer(head[4:], ">u4"))
            wrong = head[:4] != bytes([0, 0, 8, axes]) or len(shape) != axes
            size = math.prod(shape)
            values = b"" if wrong or size > _MOST_BYTES else file.read(size + 1)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise DataError(
            f"{str(path)!r} must be an idx file. It cannot be read: {error}."
        ) from error
    if wrong or len(values) != size:
        raise DataError(
            f"{str(path)!r} must be an idx file of bytes with {axes} "
            f"{'axis' if axes == 1 else 'axes'}, whole. Got another file, or a part of one, instead; "
            "fetch it again."
        )
    return np.frombuffer(values, np.uint8).reshape(shape)


def _checked(
    pictures_file: Path, pictures: Array, classes_file: Path, classes: Array
) -> tuple[Array, Array]:
    if len(pictures) != len(classes):
        raise DataError(
            f"{str(pictures_file)!r} and {str(classes_file)!r} must hold as many pictures as classes. "
            f"Got {len(pictures)} and {len(classes)} instead."
        )
    return pictures[..., None], classes.astype(np.int32)
