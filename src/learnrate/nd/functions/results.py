"""Where a result goes: into a new array, or into the one named by ``out``."""

from __future__ import annotations

from learnrate.autograd import Node
from learnrate.autograd.scopes import state
from learnrate.errors import AutogradError, InputError
from learnrate.nd.base import A, Base
from learnrate.nd.operator_errors import dtype_error, operand_error
from learnrate.nd.operators.elementwise import COPY

__all__ = ["check_writable", "into", "record_copy"]


def into(out: A | None, result: A) -> A:
    """``result``, or ``out`` with the contents of ``result`` written to it."""
    if out is None:
        return result
    if not hasattr(out, "_node"):
        raise operand_error("out", out)
    if out._data.shape != result._data.shape:
        raise InputError(f"out must have shape {result.shape}. Got {out.shape} instead.")
    if out._data.dtype != result._data.dtype:
        raise dtype_error(COPY, result._data, out._data)
    check_writable(out)
    out._data[...] = result._data
    record_copy(result, out)
    return out


def check_writable(array: Base) -> None:
    """An array in the recorded graph is not written to while recording: its gradient needs the old values."""
    if state.recording and array._node is not None:
        raise AutogradError(
            "An array in the recorded graph must not be written to while recording (x[:] = …, x += …, "
            "out=x). Write to it outside of autograd.record(), or make a new array."
        )


def record_copy(source: Base, target: Base) -> None:
    """While recording, have the gradient of ``target``, just written, flow to ``source``."""
    if state.recording and source._node is not None:
        target._node = Node(COPY, (source._node,), (source._data,), target._data)
