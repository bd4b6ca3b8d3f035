"""Where arrays live: the CPU. MXNet's contexts are taken so that its scripts run; no other device is used."""

from __future__ import annotations

from typing import Any

from learnrate.errors import OptionError

__all__ = ["Context", "check_context", "cpu", "current_context", "gpu"]


class Context:
    """A device by type and number: ``cpu(0)``."""

    __slots__ = ("device_id", "device_type")

    def __init__(self, device_type: str, device_id: int = 0) -> None:
        self.device_type = device_type
        self.device_id = device_id

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Context) and repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(repr(self))

    def __repr__(self) -> str:
        return f"{self.device_type}({self.device_id})"


def cpu(device_id: int = 0) -> Context:
    """The CPU."""
    return Context("cpu", device_id)


def gpu(device_id: int = 0) -> Context:
    """A GPU. It can be named, but creating an array there is refused."""
    return Context("gpu", device_id)


def current_context() -> Context:
    """Where arrays are created: ``cpu(0)``."""
    return cpu()


def check_context(ctx: Any) -> None:
    """Refuse any context but the CPU; None is the CPU.

    Raises
    ------
    OptionError
        For another device.
    """
    if ctx is not None and getattr(ctx, "device_type", None) != "cpu":
        raise OptionError(f"ctx must be cpu(), where learnrate computes. Got {ctx!r} instead.")
