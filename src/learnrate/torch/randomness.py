"""Random streams of their own for a sweep; the caller's global states come back as they were."""

from __future__ import annotations

import enum
import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

__all__ = ["Stream", "draws", "forked_random_states", "python_randomness", "reseed"]


class Stream(enum.IntEnum):
    """What a stream is for; beside the streams 0 and 1 of `learnrate.data.order`."""

    START = 2
    TRAINING = 3
    EVALUATION = 4


@contextmanager
def forked_random_states(device: torch.device) -> Iterator[None]:
    """Whatever draws inside, the global states of torch, NumPy and Python are afterwards as before."""
    on_gpu = device.type == "cuda"
    cpu, python, numpy = torch.get_rng_state(), random.getstate(), np.random.get_state()  # noqa: NPY002
    gpu = torch.cuda.get_rng_state(device) if on_gpu else None
    try:
        yield
    finally:
        torch.set_rng_state(cpu)
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
        if gpu is not None:
            torch.cuda.set_rng_state(gpu, device)


def reseed(device: torch.device, seed: int, stream: Stream, epoch: int = 0) -> None:
    """Put the global generators at the start of the stream ``(seed, stream, epoch)``.

    Every lane, and every group of lanes trained together, starts an epoch here: so all lanes of a seed
    draw the same masks, however many are trained at once. Call it inside `forked_random_states` only.
    """
    state = int(np.random.SeedSequence([seed, int(stream), epoch]).generate_state(1, np.uint64)[0])
    torch.default_generator.manual_seed(state)
    random.seed(state)
    np.random.seed(state & 0xFFFFFFFF)  # noqa: NPY002
    if device.type == "cuda":
        with torch.cuda.device(device):
            torch.cuda.manual_seed(state)


def draws(device: torch.device) -> list[torch.Tensor]:
    """States of torch's generators, which change whenever a model on the device draws from them."""
    if device.type == "cuda":
        return [torch.get_rng_state(), torch.cuda.get_rng_state(device)]
    return [torch.get_rng_state()]


def python_randomness() -> tuple[object, ...]:
    """A value that changes whenever Python's or NumPy's global generator is drawn from."""
    name, keys, position, *_ = np.random.get_state()  # noqa: NPY002
    return random.getstate(), name, bytes(keys), position  # type: ignore[arg-type]
