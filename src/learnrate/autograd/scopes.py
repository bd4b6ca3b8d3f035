"""Scopes: whether operations are recorded, and whether a model is being trained. Each thread has its own."""

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
    """The state of one thread. A new thread neither records nor trains."""

    recording: bool = False
    training: bool = False
    watchers: tuple[Callable[[Any, Any], None], ...] = ()
    around: Callable[[Any, Callable[[], None]], None] | None = None


state = _State()


class Scope:
    """Sets the state of the thread on entry and restores it on exit; None changes nothing."""

    __slots__ = ("_before", "_recording", "_training")

    def __init__(self, recording: bool | None, training: bool | None) -> None:
        self._recording = recording
        self._training = training
        self._before: Any = None  # the earlier states, nested, since a scope can be entered twice

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
        The value of `is_training` inside, which dropout uses.

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
    """Scope in which operations are not recorded, for use inside a `record` scope."""
    return Scope(False, train_mode)


def train_mode() -> Scope:
    """Scope in which `is_training` is true; recording does not change."""
    return Scope(None, True)


def predict_mode() -> Scope:
    """Scope in which `is_training` is false; recording does not change."""
    return Scope(None, False)


def is_recording() -> bool:
    """Whether this thread records operations."""
    return state.recording


def is_training() -> bool:
    """Whether this thread is training (dropout is active) or predicting."""
    return state.training


def set_recording(is_recording: bool) -> bool:
    """Start or stop recording in this thread; returns the value before. Prefer `record`."""
    before, state.recording = state.recording, bool(is_recording)
    return before


def set_training(train_mode: bool) -> bool:
    """Switch this thread to training or predicting; returns the value before."""
    before, state.training = state.training, bool(train_mode)
    return before
