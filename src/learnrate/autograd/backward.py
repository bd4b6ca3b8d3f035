"""The backward sweep: from the last node to the first, the chain rule once per node."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from learnrate.autograd.node import Leaf, Node
from learnrate.autograd.scopes import state
from learnrate.errors import AutogradError, OptionError

__all__ = ["backward", "grad", "mark_variables", "sweep", "watch"]

Watcher = Callable[[Node, Any], None]
"""Called with each node that a sweep reaches and the gradient that reached it."""


class Recorded(Protocol):
    """What `backward` needs of an array."""

    _node: Node | None

    def _head_gradient(self, given: Any) -> Any:
        """The value that a sweep from this array starts with: ``given``'s, or ones."""

    def _mark(self, gradient: Any, grad_req: str) -> None:
        """Make this array a leaf whose gradient is kept in ``gradient``."""

    def _like(self, value: Any) -> Any:
        """``value`` as an array of this kind."""

    @staticmethod
    def _arithmetic() -> AbstractContextManager[Any]:
        """The scope that a sweep's arithmetic runs in."""


def sweep(
    seeds: Iterable[tuple[Node, Any]],
    retain_graph: bool = False,
    deliver: Callable[[Leaf, Any], None] = Leaf.deliver,
) -> None:
    """Send gradients from the seeds' nodes down to the leaves, each of which is delivered its own.

    For a node with gradient ``g`` each parent receives ``gᵀ ∂output/∂parent``, added to what reached it by
    other ways. A node is made after its parents, so its number is larger: taking the node with the
    largest number first means that its gradient is complete. No recursion: a graph may be of any depth.

    Raises
    ------
    AutogradError
        If a part of the graph was already used up by an earlier sweep.
    """
    gradients: dict[Node, Any] = {}
    waiting: list[tuple[int, Node]] = []
    spent: list[Node] = []
    watchers = state.watchers

    for node, gradient in seeds:
        if node in gradients:
            gradients[node] = gradients[node] + gradient
        else:
            gradients[node] = gradient
            waiting.append((-node.number, node))
    heapq.heapify(waiting)

    while waiting:
        node = heapq.heappop(waiting)[1]
        gradient = gradients.pop(node)
        for watcher in watchers:
            watcher(node, gradient)
        if type(node) is Leaf:
            deliver(node, gradient)
            continue
        if node.parents is None:
            raise AutogradError(_USED_UP)
        for i, parent in enumerate(node.parents):
            if parent is not None:
                part = node.operator.gradients[i](gradient, node.output, *node.values)
                if parent in gradients:
                    gradients[parent] = gradients[parent] + part
                else:
                    gradients[parent] = part
                    heapq.heappush(waiting, (-parent.number, parent))
        spent.append(node)

    if not retain_graph:
        for node in spent:
            node.release()


_USED_UP = (
    "The graph of an array must still be there to be differentiated. An earlier backward() used it up; "
    "pass retain_graph=True to that one, or record the computation again."
)
_NOT_RECORDED = (
    "backward() needs an array that was computed inside `with autograd.record():` from an array with "
    "attach_grad(). Got one with no recorded graph instead; record its computation again."
)


def backward(
    heads: Recorded | Sequence[Recorded],
    head_grads: Any = None,
    retain_graph: bool = False,
    train_mode: bool = True,
) -> None:
    """Compute the gradients of ``heads`` with respect to every array with `attach_grad`.

    A head that is no scalar is summed first, which is what a head gradient of ones means.

    Parameters
    ----------
    heads : NDArray or list of NDArray
        Results of a recorded computation.
    head_grads : NDArray or list of (NDArray or None), optional
        Gradient of the final result with respect to each head; None is ones.
    retain_graph : bool
        Keep the graph, so that it can be differentiated again.
    train_mode : bool
        Taken for MXNet's sake; what an operator did while recording is what is differentiated.

    Raises
    ------
    AutogradError
        If a head was not recorded, or its graph was used up.
    """
    del train_mode
    arrays, seeds = _seeds(heads, head_grads)
    with arrays[0]._arithmetic():
        sweep(seeds, retain_graph)


def _seeds(heads: Any, head_grads: Any) -> tuple[list[Any], list[tuple[Node, Any]]]:
    """The heads as a list, and the node and first gradient of each."""
    arrays, given = _pairs(heads, head_grads)
    if not arrays or any(array._node is None for array in arrays):
        raise AutogradError(_NOT_RECORDED)
    return arrays, [
        (array._node, array._head_gradient(head_gradient))
        for array, head_gradient in zip(arrays, given, strict=True)
    ]


def _pairs(heads: Any, head_grads: Any) -> tuple[list[Any], list[Any]]:
    """``heads`` and ``head_grads`` as lists of one length."""
    if not isinstance(heads, list | tuple):
        return [heads], [head_grads]
    given = [None] * len(heads) if head_grads is None else list(head_grads)
    if len(given) != len(heads):
        raise OptionError(
            f"head_grads must hold one gradient (or None) for each head. "
            f"Got {len(given)} for {len(heads)} heads instead."
        )
    return list(heads), given


def grad(
    heads: Any,
    variables: Any,
    head_grads: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    train_mode: bool = True,
) -> Any:
    """Return the gradients of ``heads`` with respect to ``variables``; ``.grad`` is not touched.

    Parameters
    ----------
    heads, head_grads, retain_graph, train_mode
        As in `backward`.
    variables : NDArray or list of NDArray
        Arrays with `attach_grad`.
    create_graph : bool
        Must be False: gradients of gradients are not part of learnrate.

    Returns
    -------
    NDArray or list of NDArray
        Like ``variables``.
    """
    if create_graph:
        raise OptionError("create_graph must be False: gradients of gradients are not supported.")
    del train_mode
    wanted = list(variables) if isinstance(variables, list | tuple) else [variables]
    for position, variable in enumerate(wanted):
        if type(variable._node) is not Leaf:
            raise AutogradError(
                f"grad() needs variables with attach_grad(). "
                f"Got one without at position {position} instead; call its attach_grad() before recording."
            )
    arrays, seeds = _seeds(heads, head_grads)
    found: dict[Leaf, Any] = {}
    with arrays[0]._arithmetic():
        sweep(seeds, bool(retain_graph), found.__setitem__)
    gradients = [variable._like(found.get(variable._node)) for variable in wanted]
    return gradients if isinstance(variables, list | tuple) else gradients[0]


def mark_variables(variables: Any, gradients: Any, grad_reqs: Any = "write") -> None:
    """Make ``variables`` leaves whose gradients are kept in ``gradients``; `attach_grad` does this.

    Parameters
    ----------
    variables : NDArray or list of NDArray
        Arrays to differentiate with respect to.
    gradients : NDArray or list of NDArray
        Their gradients' memory.
    grad_reqs : str or list of str
        ``"write"``, ``"add"`` or ``"null"``.
    """
    if not isinstance(variables, list | tuple):
        variables, gradients = [variables], [gradients]
    if isinstance(grad_reqs, str):
        grad_reqs = [grad_reqs] * len(variables)
    for variable, gradient, grad_req in zip(variables, gradients, grad_reqs, strict=True):
        variable._mark(gradient, grad_req)


@contextmanager
def watch(watcher: Watcher) -> Iterator[None]:
    """Scope in which every sweep calls ``watcher(node, gradient)`` as it reaches each node."""
    before = state.watchers
    state.watchers = (*before, watcher)
    try:
        yield
    finally:
        state.watchers = before
