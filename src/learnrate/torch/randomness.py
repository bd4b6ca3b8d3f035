"""Random streams of their own for a sweep; the caller's global states come back as they were."""

from __future__ import annotations

import enum
import random
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch

__all__ = [
    "Stream",
    "draws",
    "forked_random_states",
    "python_randomness",
    "remembered",
    "reseed",
    "sweep_world",
    "words_of",
]


class Stream(enum.IntEnum):
    """What a stream is for; beside the streams 0 and 1 of `learnrate.data.order`."""

    START = 2
    TRAINING = 3
    EVALUATION = 4
    ORDER = 5


@contextmanager
def forked_random_states(device: torch.device) -> Iterator[None]:
    """Whatever draws inside, the global states of torch, NumPy and Python are afterwards as before."""
    put_back = remembered(device)
    try:
        yield
    finally:
        put_back()


def remembered(device: torch.device) -> Callable[[], None]:
    """What brings the global states of torch, NumPy and Python back to where they are now."""
    on_gpu = device.type == "cuda"
    cpu, python, numpy = torch.get_rng_state(), random.getstate(), np.random.get_state()  # noqa: NPY002
    gpu = torch.cuda.get_rng_state(device) if on_gpu else None

    def put_back() -> None:
        torch.set_rng_state(cpu)
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
        if gpu is not None:
            torch.cuda.set_rng_state(gpu, device)

    return put_back


@contextmanager
def sweep_world(device: torch.device) -> Iterator[None]:
    """Run a part of a sweep: gradients are on, draws are its own, and outside all is afterwards as before."""
    with (
        forked_random_states(device),
        torch.inference_mode(False),  # and gradients are on, whatever they are outside
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", message=".*performance drop.*", category=UserWarning)
        yield


def words_of(seed: int, stream: Stream, epoch: int, step: int) -> list[int]:
    """What the numbers of a stream follow from, within an epoch after a measurement in it too."""
    return [seed, int(stream), epoch, *((0, step) if step else ())]


def reseed(device: torch.device, seed: int, stream: Stream, epoch: int = 0, step: int = 0) -> None:
    """Put the global generators at the start of the stream ``(seed, stream, epoch, step)``.

    Every lane, and every group of lanes trained together, starts an epoch here, and goes on here after a measurement
    inside of it: so all lanes of a seed draw the same masks, however many are trained at once. Call it inside
    `forked_random_states` only.
    """
    words = np.random.SeedSequence(words_of(seed, stream, epoch, step))
    state = int(words.generate_state(1, np.uint64)[0])
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
