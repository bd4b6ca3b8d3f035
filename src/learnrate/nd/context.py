"""Devices. MXNet's contexts are accepted so that its scripts run, but arrays are on the CPU alone."""

from __future__ import annotations

from typing import Any

from learnrate.errors import OptionError, not_one_of

__all__ = ["Context", "check_context", "cpu", "current_context", "gpu"]


_DEVICES = ("cpu", "gpu", "cpu_pinned", "cpu_shared")
"""The device types of MXNet."""


class Context:
    """A device, given by type and number, ``Context("cpu", 0)``, or by another context.

    Raises
    ------
    OptionError
        If there is no such type.
    """

    __slots__ = ("device_id", "device_type")

    def __init__(self, device_type: str | Context, device_id: int = 0) -> None:
        if isinstance(device_type, Context):
            self.device_type: str = device_type.device_type
            self.device_id: int = device_type.device_id
            return
        if device_type not in _DEVICES:
            raise not_one_of("A device", device_type, _DEVICES)
        self.device_type, self.device_id = device_type, device_id

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Context) and repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(repr(self))

    def __repr__(self) -> str:
        return f"{self.device_type}({self.device_id})"

    def __enter__(self) -> Context:
        """``with mx.cpu():``, a scope in which arrays are created on this device.

        Raises
        ------
        OptionError
            If it is not the CPU.
        """
        check_context(self)
        return self

    def __exit__(self, *exc: object) -> None:
        """Leave the scope."""


def cpu(device_id: int = 0) -> Context:
    """The CPU."""
    return Context("cpu", device_id)


def gpu(device_id: int = 0) -> Context:
    """A GPU. Creating an array on it raises OptionError."""
    return Context("gpu", device_id)


def current_context() -> Context:
    """The device on which arrays are created: ``cpu(0)``."""
    return cpu()


def check_context(ctx: Any) -> None:
    """Check that a context is the CPU, or None, which means the CPU.

    Raises
    ------
    OptionError
        For another device.
    """
    if ctx is not None and getattr(ctx, "device_type", None) != "cpu":
        raise OptionError(f"ctx must be cpu(), where learnrate computes. Got {ctx!r} instead.")
