"""What kernels are given: a few named tuples."""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["Examples", "Lanes", "Outputs", "Report", "Room", "Rows", "Scratch", "Steps"]


class Rows(NamedTuple):
    """Examples, and the anchor that they are measured from; see `learnrate.linear.anchor`.

    ``X`` is flat. ``shift`` is ``(s, 0, …)`` and ``ref`` is ``(w_ref, β_ref, 0, …)``, in the type of X; ``fit`` has
    w_ref as `learnrate.linear.kernels.vectors.centre` reads it; ``shifted`` says whether s is not 0. ``decay = α |B|`` is the same for all lanes.
    """

    X: Any
    y: Any
    d: Any
    shift: Any
    ref: Any
    fit: Any
    shifted: Any
    kappa: Any
    decay: Any


class Lanes(NamedTuple):
    """Blocks ``first, …, stop − 1`` of lanes, in the layout of `learnrate.linear.kernels.layout`.

    A block has ``rows`` rows of ``count`` lanes. ``eta`` has a rate for each lane; the row of ``delta`` after the
    parameters is −1. ``velocity`` is empty without momentum.
    """

    first: Any
    stop: Any
    rows: Any
    count: Any
    eta: Any
    delta: Any
    velocity: Any
    momentum: Any


class Scratch(NamedTuple):
    """Room for gathered rows, ``room`` of ``width`` numbers, in Z; for their errors in a block of lanes, in R.

    And for a block's gradient, and for a row of a matrix.
    """

    Z: Any
    room: Any
    width: Any
    R: Any
    gradient: Any
    row: Any


class Steps(NamedTuple):
    """The order of the examples and ``s_t / |B|``, a row for each epoch, and which steps of an epoch are meant."""

    orders: Any
    scales: Any
    batch_size: Any
    first: Any
    stop: Any
    at_once: Any
    stride: Any


class Report(NamedTuple):
    """What makes parameters and losses of δ; see `learnrate.linear.kernels.report`."""

    w_ref: Any
    beta: Any
    shift: Any
    Q: Any
    u: Any
    trust: Any


class Examples(NamedTuple):
    """Examples as they are: ``X`` is flat, and ``y`` of its type, the codes of classes too."""

    X: Any
    y: Any
    d: Any


class Outputs(NamedTuple):
    """Blocks ``first, …, stop − 1`` of lanes of a model with some ``outputs``; see `learnrate.linear.kernels.outputs`.

    A block has a matrix for each output, of ``rows`` rows of ``count`` lanes, one after another in ``theta``. ``eta`` has a rate for
    each lane. ``velocity`` is empty without momentum. ``kind`` is the loss's place in `FORMULAS`, ``option`` is δ of Huber's.
    """

    first: Any
    stop: Any
    rows: Any
    count: Any
    outputs: Any
    eta: Any
    theta: Any
    velocity: Any
    momentum: Any
    decay: Any
    kind: Any
    option: Any


class Room(NamedTuple):
    """Room for ``rows`` gathered rows of ``width`` numbers, in Z; for their labels, and their outputs in a block of lanes.

    And for the gradient of all outputs in a block.
    """

    rows: Any
    width: Any
    Z: Any
    labels: Any
    R: Any
    gradient: Any
