"""The arguments of the kernels: named tuples of arrays and numbers."""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["Examples", "Lanes", "Outputs", "Report", "Room", "Rows", "Scratch", "Steps"]


class Rows(NamedTuple):
    """Examples, and the anchor from which parameters are measured; see `learnrate.linear.anchor`.

    Attributes
    ----------
    X, y : arrays, shapes (n·d,) and (n,)
        Features, flat, and labels.
    d : int
        Number of features.
    shift, ref : arrays, in the type of X
        ``(s, 0, …)`` and ``(w_ref, β_ref, 0, …)`` of the anchor.
    fit : array
        ``w_ref``, as `learnrate.linear.kernels.vectors.centre` reads it.
    shifted : bool
        Whether s is not 0.
    kappa : float
        κ of the anchor.
    decay : float
        ``α |B|`` with the weight decay α, the same for all lanes.
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
    """Blocks ``first, …, stop − 1`` of lanes, stored as `learnrate.linear.kernels.layout.Layout` says.

    Attributes
    ----------
    rows, count : int
        Rows of a block, and lanes in a block.
    eta : array
        The learning rate η of each lane.
    delta : array, flat
        ``δ`` of each lane, and below the parameters a row of −1.
    velocity : array, flat
        ``v`` of each lane; empty without momentum.
    momentum : float
        μ.
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
    """Arrays that a thread overwrites.

    Attributes
    ----------
    Z : array, flat
        Room for gathered rows: ``room`` of them, of ``width`` numbers each.
    R : array, flat
        The errors of these rows in a block of lanes.
    gradient : array, flat
        The gradient of a block of lanes.
    row : array, shape (width,)
        A row of a matrix.
    """

    Z: Any
    room: Any
    width: Any
    R: Any
    gradient: Any
    row: Any


class Steps(NamedTuple):
    """The steps to take: ``first, …, stop − 1`` of each epoch.

    Attributes
    ----------
    orders, scales : arrays, shapes (epochs, n) and (epochs, steps)
        The order of the examples, and ``s_t / |B|`` with the schedule's multiplier ``s_t``.
    batch_size : int
        The nominal batch size ``|B|``.
    at_once, stride : int
        The Gram matrices of ``at_once`` of every ``stride`` steps are computed at a time.
    """

    orders: Any
    scales: Any
    batch_size: Any
    first: Any
    stop: Any
    at_once: Any
    stride: Any


class Report(NamedTuple):
    """What is needed to compute parameters and losses from δ; see `learnrate.linear.kernels.report`.

    Attributes
    ----------
    w_ref, beta, shift : arrays of float64 and float
        ``w_ref``, ``β_ref`` and s of the anchor.
    Q : float64 array, shape (d + 2, d + 2)
        `learnrate.linear.losses.Quadratic`; empty where losses are not computed from it.
    u : float64 array
        Room for ``(d + 3) · (lanes + 1)`` numbers.
    trust : tuple of float
        ``doubt``, ``least`` and ``small`` of `learnrate.linear.losses.Trust`.
    """

    w_ref: Any
    beta: Any
    shift: Any
    Q: Any
    u: Any
    trust: Any


class Examples(NamedTuple):
    """Examples: features X, flat, and labels y in the type of X (for classes their codes); d is the number of features."""

    X: Any
    y: Any
    d: Any


class Outputs(NamedTuple):
    """Blocks ``first, …, stop − 1`` of lanes of a model with one output or several; see `learnrate.linear.kernels.outputs`.

    Attributes
    ----------
    rows, count, outputs : int
        A block has a matrix of ``rows`` × ``count`` numbers for each output; ``count`` is the number of lanes in it.
    eta : array
        The learning rate η of each lane.
    theta, velocity : arrays, flat
        The parameters θ and the velocity v, block after block; ``velocity`` is empty without momentum.
    momentum, decay : float
        μ and α.
    kind : int
        The position of the loss in `learnrate.linear.kernels.elementary.FORMULAS`.
    option : float
        δ of Huber's loss.
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
    """Arrays that a thread overwrites.

    Attributes
    ----------
    rows, width : int
        Number of gathered rows, and their length.
    Z, labels : arrays
        The gathered rows, flat, and their labels.
    R : array, flat
        Their outputs, or the derivatives of their losses, in a block of lanes.
    gradient : array, flat
        The gradient of all outputs in a block.
    """

    rows: Any
    width: Any
    Z: Any
    labels: Any
    R: Any
    gradient: Any
