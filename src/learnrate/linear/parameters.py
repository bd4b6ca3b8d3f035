"""Parameters and optimizer state of all lanes in one array each, and their conversion to and from states.

``Θ`` is (D, C, K): the rows are the d features and the bias, then the outputs, then the lanes. The product
of the rows ``(x, 1)`` of a minibatch with Θ, as a matrix (D, C·K), gives all outputs of all lanes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.data.order import initial_weights
from learnrate.linear.problem import EpochState, LinearProblem
from learnrate.training.optimizers import get_optimizer
from learnrate.training.states import LaneStates

__all__ = ["begin", "joined", "names_of", "slots_of", "state_of", "weights_of"]


def slots_of(problem: LinearProblem) -> tuple[str, ...]:
    """Names of the arrays in the optimizer state."""
    return get_optimizer(problem.optimizer).slots(problem.rule_options)


def names_of(slot: str) -> tuple[str, str]:
    """The names in a state of the weights' and the biases' part of an array of the optimizer."""
    return ("V", "vb") if slot == "velocity" else (f"{slot}_W", f"{slot}_b")


def begin(
    problem: LinearProblem, start: EpochState | None
) -> tuple[Float[Array, "D C K"], dict[str, Float[Array, "D C K"]]]:
    """``Θ`` and the optimizer state before training, or those of the state ``start``, in the problem's type."""
    shape = problem.d + 1, problem.loss.outputs, problem.lrs.size
    state = {slot: np.zeros(shape, dtype=problem.dtype) for slot in slots_of(problem)}
    if start is None:
        theta = np.zeros(shape, dtype=problem.dtype)
        theta[:-1] = initial_weights(problem.d, problem.seed, shape[1])[:, :, None]
        return theta, state
    for slot in state:
        W, b = (start.arrays[name] for name in names_of(slot))
        state[slot] = joined(W, b, problem.dtype)
    return joined(start.W, start.b, problem.dtype), state


def weights_of(states: LaneStates) -> tuple[Float[Array, "K ..."], Float[Array, "K ..."]]:
    """Weights, (K, d) or (K, d, C), and biases, (K,) or (K, C), in states of a linear problem."""
    return states.arrays["W"], states.arrays["b"]


def joined(W: Float[Array, "K ..."], b: Float[Array, "K ..."], dtype: Any) -> Float[Array, "D C K"]:
    """``Θ`` from weights, (K, d) or (K, d, C), and biases, (K,) or (K, C)."""
    K, d = W.shape[:2]
    theta = np.empty((d + 1, b.size // K, K), dtype=dtype)
    theta[:-1] = W.reshape(K, d, -1).transpose(1, 2, 0)
    theta[-1] = b.reshape(K, -1).T
    return theta


def state_of(
    problem: LinearProblem,
    epoch: int,
    theta: Float[Array, "D C K"],
    slots: Mapping[str, Float[Array, "D C K"]],
    measured: Mapping[str, Float[Array, " K"]],
) -> EpochState:
    """The state of the lanes. Training that continues from it gives the same bits as without the interruption."""
    several = problem.loss.outputs > 1

    def parts(array: Array) -> tuple[Array, Array]:
        W = array[:-1].transpose(2, 0, 1).astype(np.float64)
        b = array[-1].T.astype(np.float64)
        return (W, b) if several else (W[:, :, 0], b[:, 0])

    arrays: dict[str, Any] = {}
    for slot, array in slots.items():
        arrays.update(zip(names_of(slot), parts(array), strict=True))
    W, b = parts(theta)
    measured = dict(measured)
    return EpochState(epoch, W, b, measured.pop("loss"), measured=measured, **arrays)
