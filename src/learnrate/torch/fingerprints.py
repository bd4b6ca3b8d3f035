"""Names for a model's start and for examples, to tell whether a checkpoint is of the same ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from learnrate.data.fingerprint import Fingerprint
from learnrate.torch.examples import Examples, HeldItems, TensorExamples
from learnrate.torch.randomness import Stream, sweep_world
from learnrate.torch.streams import StreamedExamples
from learnrate.torch.whole import Whole

__all__ = ["checksum", "fingerprint_of_examples", "fingerprint_of_model"]

_CHUNK = 1 << 20
_ODD = 0x9E3779B97F4A7C15 - (1 << 64)
_INTEGERS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
_NUMPYS = (torch.float16, torch.float32, torch.float64)


def fingerprint_of_model(whole: Whole) -> str:
    """A hash of all parameters and buffers of a model, with their names."""
    digest = Fingerprint()
    for name, tensor in (*whole.named_parameters(), *whole.named_buffers()):
        _add(digest, [name, tensor])
    return digest.hexdigest()


def checksum(tensors: Iterable[Tensor]) -> int:
    """A number that changes with any bit of the tensors and with their order, computed where they are.

    ``Σ_i (2 i + 1) c b_i`` modulo 2⁶⁴ over the numbers' bits ``b_i`` as integers, with an odd constant ``c``, chained from
    chunk to chunk.
    """
    found = 0
    for tensor in tensors:
        flat = tensor.detach().contiguous().reshape(-1)
        bits = flat.view(_INTEGERS[min(8, flat.element_size())])
        for chunk in torch.split(bits, _CHUNK):
            weights = torch.arange(1, 2 * len(chunk) + 1, 2, device=chunk.device) * _ODD
            found = (found * 31 + int((weights * chunk).sum())) % (1 << 64)
    return found


def fingerprint_of_examples(examples: Examples | None, device: torch.device, first: int) -> str:
    """A hash of all examples if they are in memory, else of the ``first`` ones, read with the random numbers of the sweep."""
    digest = Fingerprint()
    parts: Iterable[Any]
    if examples is None:
        parts = ()
    elif isinstance(examples, TensorExamples):
        parts = [examples.whole]
    elif isinstance(examples, HeldItems):
        parts = examples.items
    elif isinstance(examples, StreamedExamples):
        parts = [len(examples), examples.batch(torch.tensor([0]))]
    else:
        with sweep_world(device):
            examples.renew(device, 0, Stream.EVALUATION)
            numbers = torch.arange(min(first, len(examples)))
            parts = [len(examples), next(examples.read([numbers]))]
    for part in parts:
        _add(digest, part)
    return digest.hexdigest()


def _add(digest: Fingerprint, value: Any) -> None:
    """Take in tensors, arrays and plain values, and what is inside sequences and mappings."""
    if isinstance(value, Tensor):
        plain = value.detach().cpu()
        # NumPy has no bfloat16, nor smaller floating-point types: each of them fits into float32.
        small = plain.is_floating_point() and plain.dtype not in _NUMPYS
        digest.add((plain.float() if small else plain).numpy())
    elif isinstance(value, np.ndarray) and value.dtype != object:
        digest.add(value)
    elif isinstance(value, Mapping):
        for key, part in value.items():
            _add(digest, [key, part])
    elif isinstance(value, list | tuple):
        for part in value:
            _add(digest, part)
    else:
        plain_value = isinstance(value, str | int | float | bool | bytes | None)
        digest.more(f"{value!r};".encode() if plain_value else type(value).__name__.encode())
