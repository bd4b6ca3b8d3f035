"""Sharpness: the largest eigenvalue of the Hessian of the training loss, by Lanczos iteration."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn.attention import SDPBackend, sdpa_kernel

from learnrate._shapes import Array, Float
from learnrate.torch.copying import copy_of
from learnrate.torch.examples import Examples
from learnrate.torch.failures import in_one_line
from learnrate.torch.lanes import Task
from learnrate.torch.randomness import Stream, reseed
from learnrate.torch.states import lane_tensors

__all__ = ["largest_eigenvalue", "sharpness_of", "sharpness_of_lanes"]

_EXAMPLES = 2048
"""At most this many training examples, evenly spread, stand for all of them."""
_ITERATIONS = 40
_ENOUGH = 1e-4


def largest_eigenvalue(product: Callable[[Tensor], Tensor], start: Tensor) -> float:
    """Largest eigenvalue of a symmetric matrix given by its products with vectors.

    Lanczos iteration with full reorthogonalisation, until the estimate moves by less than 1e-4 of itself.

    Parameters
    ----------
    product : callable
        ``v ↦ H v`` for tensors (P,).
    start : Tensor, shape (P,)
        Where to start, not 0.

    Source: Golub and Van Loan, *Matrix Computations*, section 10.1.
    """
    basis = [start / start.norm()]
    diagonal: list[float] = []
    beside: list[float] = []
    estimate = np.nan
    for _ in range(min(_ITERATIONS, start.numel())):
        image = product(basis[-1])
        diagonal.append(float(image @ basis[-1]))
        for _twice in range(2):
            for vector in basis:
                image = image - (image @ vector) * vector
        length = float(image.norm())
        if not np.isfinite([diagonal[-1], length]).all():
            return np.nan
        T = np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1)
        before, estimate = estimate, float(np.linalg.eigvalsh(T)[-1])
        if abs(estimate - before) <= _ENOUGH * abs(estimate) or length <= 1e-12 * abs(estimate):
            break
        beside.append(length)
        basis.append(image / length)
    return estimate


def sharpness_of(
    task: Task, rows: Tensor, states: Sequence[Mapping[str, Tensor]], examples: Examples
) -> Float[Array, " K"]:
    """Sharpness of the training loss at each row of parameters; nan for a lane that has diverged.

    The loss is that of at most 2,048 evenly spread examples, in evaluation mode.

    Parameters
    ----------
    task : Task
        What is trained.
    rows : Tensor, shape (K, P)
        Parameters.
    states : sequence of mappings
        Each lane's buffers, by name; those of the start where a name is missing.
    examples : Examples
        Training examples.
    """
    n = len(examples)
    batch = examples.batch(torch.arange(0, n, -(-n // _EXAMPLES)))
    whole = copy_of(task.whole).eval()
    buffers = dict(whole.named_buffers())
    found = np.full(len(rows), np.nan)
    must = "With sharpness=True model and loss must have second derivatives; without it they need none."
    for k, (row, state) in enumerate(zip(rows, states, strict=True)):
        if not bool(torch.isfinite(row).all()):
            continue
        row = row.detach().clone().requires_grad_()
        named = {name: state.get(name, b).to(b.device).clone() for name, b in buffers.items()}
        reseed(task.device, task.seed, Stream.EVALUATION)
        # Of PyTorch's kernels for attention only the plain one has a second derivative.
        with torch.enable_grad(), sdpa_kernel(SDPBackend.MATH), in_one_line(must):
            (loss,), _ = functional_call(whole, {**task.layout.split(row), **named}, (batch,))
            (gradient,) = torch.autograd.grad(loss, row, create_graph=True)

        def product(v: Tensor, gradient: Tensor = gradient, row: Tensor = row) -> Tensor:
            if not gradient.requires_grad:  # a loss that is linear in the parameters
                return torch.zeros_like(v)
            (image,) = torch.autograd.grad(
                gradient, row, v, retain_graph=True, materialize_grads=True
            )
            return image

        # Fixed and not in a symmetric place: a start of equal numbers may be orthogonal to what is sought.
        start = torch.cos(torch.arange(1, row.numel() + 1, dtype=torch.float64) ** 1.5)
        with in_one_line(must):
            found[k] = largest_eigenvalue(product, start.to(row))
    return found


def sharpness_of_lanes(
    task: Task, arrays: Mapping[str, Array], K: int, examples: Examples
) -> Float[Array, " K"]:
    """Sharpness of K lanes, from their arrays; see `sharpness_of`."""
    tensors = [lane_tensors(arrays, k, within="", averaged=False) for k in range(K)]
    rows = torch.stack([torch.cat([t[n].reshape(-1) for n in task.layout.names]) for t in tensors])
    return sharpness_of(task, rows.to(task.device), tensors, examples)
