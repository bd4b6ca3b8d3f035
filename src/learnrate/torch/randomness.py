"""Random streams of their own for a sweep; the caller's global states come back as they were."""

from __future__ import annotations

import base64
import enum
import json
import random
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
import torch

__all__ = [
    "Stream",
    "draws",
    "forked_random_states",
    "in_sweep_world",
    "moved_since",
    "put_back",
    "python_randomness",
    "random_states",
    "remembered",
    "reseed",
    "sweep_world",
    "words_of",
]


T = TypeVar("T")


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


def in_sweep_world(device: torch.device, parts: Iterator[T]) -> Iterator[T]:
    """What an iterator gives, which runs in `sweep_world`; while the caller has the turn all is as it was outside."""
    while True:
        with sweep_world(device):
            try:
                part = next(parts)
            except StopIteration:
                return
        yield part


def random_states(device: torch.device, more: Sequence[Any] = ()) -> dict[str, Any]:
    """States of the global generators of torch, NumPy and Python, and of ``more`` generators, as JSON can hold them."""
    states = {
        "torch": _state_of(torch.default_generator),
        "python": list(random.getstate()),
        "numpy": np.random.get_state(legacy=False),  # noqa: NPY002
    }
    if device.type == "cuda":
        states["cuda"] = _text(torch.cuda.get_rng_state(device))
    states.update({str(place): _state_of(generator) for place, generator in enumerate(more)})
    return {name: json.dumps(state, default=np.ndarray.tolist) for name, state in states.items()}


def moved_since(start: Mapping[str, str], now: Mapping[str, str]) -> str:
    """The states of the generators that are not where they were at the start; a text, empty where all are."""
    moved = {name: state for name, state in now.items() if start.get(name) != state}
    return json.dumps(moved) if moved else ""


def put_back(text: str, device: torch.device, more: Sequence[Any] = ()) -> None:
    """Put generators to where `moved_since` found them."""
    for name, state in json.loads(text or "{}").items():
        state = json.loads(state)
        if name == "torch":
            torch.set_rng_state(_bytes(state))
        elif name == "cuda":
            torch.cuda.set_rng_state(_bytes(state), device)
        elif name == "numpy":
            np.random.set_state(state)  # noqa: NPY002
        elif name == "python":
            _set_state(random, state)
        else:
            _set_state(more[int(name)], state)


def _state_of(generator: Any) -> Any:
    if isinstance(generator, torch.Generator):
        return _text(generator.get_state())
    if isinstance(generator, np.random.Generator):
        return generator.bit_generator.state
    if isinstance(generator, np.random.RandomState):
        return generator.get_state(legacy=False)
    return None if isinstance(generator, random.SystemRandom) else list(generator.getstate())


def _set_state(generator: Any, state: Any) -> None:
    if isinstance(generator, torch.Generator):
        generator.set_state(_bytes(state))
    elif isinstance(generator, np.random.Generator):
        generator.bit_generator.state = state
    elif isinstance(generator, np.random.RandomState):
        generator.set_state(state)
    elif state is not None:
        version, words, gauss = state
        generator.setstate((version, tuple(words), gauss))


def _text(state: torch.Tensor) -> str:
    return base64.b64encode(state.numpy().tobytes()).decode("ascii")


def _bytes(text: str) -> torch.Tensor:
    return torch.frombuffer(bytearray(base64.b64decode(text)), dtype=torch.uint8)


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
