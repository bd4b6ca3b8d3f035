"""Lanes as plain arrays, the same however they are trained: what training continues from.

A trained parameter is the array ``parameter NAME``, a fixed one that the model itself has changed ``fixed NAME``, a
buffer ``buffer NAME``, an average of a parameter ``average NAME``, and each part of the optimizer state ``SLOT NAME``,
such as ``velocity model.0.weight``, beside ``step NAME``, the steps that the parameter has taken; each has one row for
each lane. Between two measurements ``ahead steps``, ``ahead losses`` and ``ahead random`` say how far each lane is
(`learnrate.torch.pieces`).
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from learnrate._shapes import Array
from learnrate.torch.whole import MODEL

__all__ = [
    "AHEAD",
    "AVERAGES",
    "BUFFERS",
    "FIXED",
    "LEARNED",
    "PARAMETERS",
    "STEPS",
    "Layout",
    "Rows",
    "copied",
    "held",
    "joined",
    "kinds_of",
    "lane_tensors",
    "plain",
    "taken_apart",
]


@dataclass(frozen=True)
class Layout:
    """The trained parameters of a module as one vector of P numbers.

    Attributes
    ----------
    names : tuple of str
        As in ``module.named_parameters()``; a tied parameter has one name.
    shapes : tuple of torch.Size
        Their shapes.
    """

    names: tuple[str, ...]
    shapes: tuple[torch.Size, ...]

    @classmethod
    def of(cls, module: nn.Module, names: Iterable[str]) -> Layout:
        """The layout of some parameters of a module."""
        parameters = dict(module.named_parameters())
        chosen = tuple(names)
        return cls(chosen, tuple(parameters[name].shape for name in chosen))

    @property
    def sizes(self) -> list[int]:
        """How many numbers each parameter has."""
        return [shape.numel() for shape in self.shapes]

    @property
    def size(self) -> int:
        """P."""
        return sum(self.sizes)

    def split(self, row: Tensor) -> dict[str, Tensor]:
        """Views of one lane's row (P,), by name."""
        pieces = torch.split(row, self.sizes)
        return {
            name: piece.view(shape)
            for name, piece, shape in zip(self.names, pieces, self.shapes, strict=True)
        }

    def split_rows(self, rows: Tensor) -> list[Tensor]:
        """Views (K, …) of all lanes' rows (K, P), one for each parameter."""
        pieces = torch.split(rows, self.sizes, dim=1)
        return [
            piece.reshape(len(rows), *shape)
            for piece, shape in zip(pieces, self.shapes, strict=True)
        ]

    def join(self, module: nn.Module) -> Tensor:
        """The module's parameters as a row (P,)."""
        parameters = dict(module.named_parameters())
        return torch.cat([parameters[name].detach().reshape(-1) for name in self.names])


PARAMETERS, FIXED, BUFFERS, STEPS = "parameter", "fixed", "buffer", "step"
AVERAGES = "average"
AHEAD = "ahead"
LEARNED = (PARAMETERS, FIXED, BUFFERS, AVERAGES)
"""The kinds that make a model."""
Rows = Tensor | Array | Sequence[Tensor | Array]
"""Numbers of K lanes: with an axis for the lanes, or one after another."""


def taken_apart(layout: Layout, kind: str, rows: Tensor) -> Iterator[tuple[str, Tensor]]:
    """Rows (K, P) of all parameters as a view for each, with its name."""
    for name, piece in zip(layout.names, layout.split_rows(rows), strict=True):
        yield f"{kind} {name}", piece


def joined(layout: Layout, pieces: Mapping[str, Array], like: Tensor) -> Tensor:
    """Arrays of all parameters as rows (K, P), of another tensor's type and place."""
    flat = [pieces[name].reshape(len(pieces[name]), -1) for name in layout.names]
    return torch.from_numpy(np.concatenate(flat, axis=1)).to(like)


def kinds_of(arrays: Mapping[str, Array]) -> dict[str, dict[str, Array]]:
    """The arrays by kind, then by name."""
    kinds: dict[str, dict[str, Array]] = {}
    for name, array in arrays.items():
        kind, _, of = name.partition(" ")
        kinds.setdefault(kind, {})[of] = array
    return kinds


def lane_tensors(
    arrays: Mapping[str, Array], k: int, within: str = MODEL, *, averaged: bool = True
) -> dict[str, Tensor]:
    """Parameters, or their averages where there are some, and buffers of one lane, by their names in the model.

    They are views of the arrays where these can be written.
    """
    kinds, found = kinds_of(arrays), {}
    for kind in (PARAMETERS, FIXED, BUFFERS, *((AVERAGES,) if averaged else ())):
        for name, array in kinds.get(kind, {}).items():
            if name.startswith(within):
                own = np.asarray(array[k, ...])  # with no axis left it would be a number
                own = own if own.flags.writeable else own.copy()
                found[name.removeprefix(within)] = torch.from_numpy(own)
    return found


def plain(value: Tensor | Array) -> Array:
    """A tensor or array as a NumPy array, without a copy if it is on the CPU."""
    array: Array = value.detach().cpu().numpy() if isinstance(value, Tensor) else value
    return array


def copied(rows: Rows) -> Array:
    """A copy of the lanes' numbers as one array, first axis K."""
    if isinstance(rows, Tensor | np.ndarray):
        return np.array(plain(rows), order="C")
    return np.stack([plain(row) for row in rows])


_ALIGNED = 64


def held(rows: Callable[[], Iterable[tuple[str, Rows]]], *, on_disk: bool) -> dict[str, Array]:
    """Copies of rows as arrays.

    Parameters
    ----------
    rows : callable
        Gives names, and the lanes' numbers of each.
    on_disk : bool
        Whether they lie in a temporary file, in the folder of Python's `tempfile`, instead of in memory. They are read from
        there when they are used, and what is written into them stays in memory. The file is gone when the last of them is.
        Where the disk is full, they are held in memory.
    """
    if on_disk:
        try:
            return _in_file(rows)
        except OSError:
            pass
    return {name: copied(of) for name, of in rows()}


def _in_file(rows: Callable[[], Iterable[tuple[str, Rows]]]) -> dict[str, Array]:
    places: dict[str, tuple[int, np.dtype[np.generic], tuple[int, ...]]] = {}
    with tempfile.TemporaryFile() as file:
        for name, of in rows():
            first = plain(of[0])
            places[name] = file.tell(), first.dtype, (len(of), *first.shape)
            for row in of:
                file.write(np.ascontiguousarray(plain(row)).data)
            file.write(bytes(-file.tell() % _ALIGNED))
        file.flush()
        whole = np.memmap(file, np.uint8, mode="c") if file.tell() else np.empty(0, np.uint8)
    bytes_of = np.asarray(whole)
    return {
        name: bytes_of[start : start + dtype.itemsize * int(np.prod(shape))]
        .view(dtype)
        .reshape(shape)
        for name, (start, dtype, shape) in places.items()
    }
