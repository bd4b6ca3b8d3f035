"""Scopes: whether operations are recorded, and whether a model is being trained.

Both are kept for each thread, so that a thread which records never makes another one record.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

__all__ = [
    "is_recording",
    "is_training",
    "pause",
    "predict_mode",
    "record",
    "set_recording",
    "set_training",
    "state",
    "train_mode",
]


class _State(threading.local):
    """What one thread is doing. A new thread neither records nor trains."""

    recording: bool = False
    training: bool = False
    watchers: tuple[Callable[[Any, Any], None], ...] = ()


state = _State()


class Scope:
    """Sets the thread's state on entry and puts it back on exit; None leaves a part as it is."""

    __slots__ = ("_before", "_recording", "_training")

    def __init__(self, recording: bool | None, training: bool | None) -> None:
        self._recording = recording
        self._training = training
        self._before: Any = None  # what to go back to, and what to go back to after that

    def __enter__(self) -> None:
        self._before = (state.recording, state.training, self._before)
        if self._recording is not None:
            state.recording = self._recording
        if self._training is not None:
            state.training = self._training

    def __exit__(self, *exc: object) -> None:
        state.recording, state.training, self._before = self._before


def record(train_mode: bool = True) -> Scope:
    """Scope in which operations are recorded, so that `backward` can differentiate them.

    Parameters
    ----------
    train_mode : bool
        Whether `is_training` holds inside, which is what dropout asks.

    Examples
    --------
    >>> from learnrate import autograd, nd
    >>> x = nd.array([1, 2, 3])
    >>> x.attach_grad()
    >>> with autograd.record():
    ...     y = (x**2).sum()
    >>> y.backward()
    >>> x.grad.asnumpy().tolist()
    [2.0, 4.0, 6.0]
    """
    return Scope(True, train_mode)


def pause(train_mode: bool = False) -> Scope:
    """Scope inside a `record` scope in which operations are not recorded."""
    return Scope(False, train_mode)


def train_mode() -> Scope:
    """Scope in which `is_training` holds; recording stays as it is."""
    return Scope(None, True)


def predict_mode() -> Scope:
    """Scope in which `is_training` does not hold; recording stays as it is."""
    return Scope(None, False)


def is_recording() -> bool:
    """Whether this thread records operations."""
    return state.recording


def is_training() -> bool:
    """Whether this thread trains (dropout drops) or predicts."""
    return state.training


def set_recording(is_recording: bool) -> bool:
    """Start or stop recording in this thread; returns what held before. Prefer `record`."""
    before, state.recording = state.recording, bool(is_recording)
    return before


def set_training(train_mode: bool) -> bool:
    """Switch this thread to training or predicting; returns what held before."""
    before, state.training = state.training, bool(train_mode)
    return before
