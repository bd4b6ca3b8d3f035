"""The backward pass: from the last node to the first, with the chain rule once for each node."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from heapq import heapify, heappop, heappush
from typing import Any, Protocol

from learnrate.autograd.node import Leaf, Node, release
from learnrate.autograd.scopes import state
from learnrate.errors import AutogradError, OptionError

__all__ = ["backward", "backward_pass", "grad", "mark_variables", "watch", "watch_backward"]

Watcher = Callable[[Node, Any], None]
"""Called with each node that a backward pass reaches, and the gradient that reached it."""

Around = Callable[[Sequence[tuple[Node, Any]], Callable[[], None]], None]
"""Called by `backward` with the heads' nodes and first gradients, and the backward pass, which it must call."""


class Recorded(Protocol):
    """What `backward` needs of an array."""

    _node: Node | None

    def _head_gradient(self, given: Any) -> Any:
        """The gradient with which a backward pass starts at this array: the value of ``given``, or ones."""

    def _mark(self, gradient: Any, grad_req: str) -> None:
        """Make this array a leaf whose gradient is kept in ``gradient``."""

    def _like(self, value: Any) -> Any:
        """A new array of this kind that holds a copy of ``value``."""

    @staticmethod
    def _recording(value: Any, node: Node | None) -> Any:
        """``value``, wrapped so that gradient rules record what they compute from it, if it comes from a node."""

    @staticmethod
    def _quietly(function: Callable[..., None], *args: Any) -> None:
        """Call ``function(*args)``, a backward pass, without floating-point warnings."""


def backward_pass(
    starts: Iterable[tuple[Node, Any]],
    retain_graph: bool = False,
    deliver: Callable[[Leaf, Any], None] = Leaf.deliver,
    recording: Callable[[Any, Node | None], Any] | None = None,
) -> None:
    """Compute the gradients of all leaves from which some nodes were computed.

    For a node with gradient ``g``, each parent gets ``gᵀ ∂output/∂parent``, added to what it gets from other nodes. A
    node has a larger number than its parents. So if the node with the largest number is always taken first, its gradient
    is complete. There is no recursion: a graph may have any depth.

    Parameters
    ----------
    starts : iterable of (Node, value)
        The nodes to start from, with their gradients.
    retain_graph : bool
        Whether to keep the graph, so that it can be differentiated again.
    deliver : callable
        Called with each leaf and its gradient.
    recording : callable, optional
        Wraps a value and its node so that what gradient rules compute from it is recorded, for gradients of gradients.

    Raises
    ------
    AutogradError
        If part of the graph was released by an earlier backward pass, or no leaf was reached.
    """
    gradients: dict[Node, Any] = {}
    for node, gradient in starts:
        gradients[node] = gradients[node] + gradient if node in gradients else gradient
    waiting = [(-node.number, node) for node in gradients]
    heapify(waiting)
    watchers = state.watchers
    spent = []
    reached = False

    while waiting:
        node = heappop(waiting)[1]
        gradient = gradients.pop(node)
        if watchers:
            for watcher in watchers:
                watcher(node, gradient)
        if type(node) is Leaf:
            deliver(node, gradient)
            reached = reached or node.grad_req != "null"
            continue
        parents = node.parents
        if parents is None:
            raise AutogradError(_USED_UP)
        output, values, rules = node.output, node.values, node.operator.gradients
        if recording is not None:
            output = recording(output, node)
            values = (*map(recording, values, parents), *values[len(parents) :])
        for i, parent in enumerate(parents):
            if parent is None or (parent.parents is None and parent.spent_before(node)):
                continue
            contribution = rules[i](gradient, output, *values)
            if parent in gradients:
                gradients[parent] = gradients[parent] + contribution
            else:
                gradients[parent] = contribution
                heappush(waiting, (-parent.number, parent))
        spent.append(node)

    if not retain_graph:
        release(spent)
    if not reached:
        raise AutogradError(_NO_LEAF)


_USED_UP = (
    "The graph of an array must still be there to be differentiated. An earlier backward() used it up; "
    "pass retain_graph=True to that one, or record the computation again."
)
_NO_LEAF = (
    "backward() must reach an array with attach_grad() whose grad_req is not 'null'. There is none in this "
    "graph; call attach_grad() before recording."
)
_NOT_RECORDED = (
    "backward() must be given an array computed inside `with autograd.record():` from an array with "
    "attach_grad(). Got one without a recorded graph instead; record its computation again."
)


def backward(
    heads: Recorded | Sequence[Recorded],
    head_grads: Any = None,
    retain_graph: bool = False,
    train_mode: bool = True,
) -> None:
    """Compute the gradients of ``heads`` with respect to every array with `attach_grad`, and write them to ``.grad``.

    A head with several elements is summed first: this is what a head gradient of ones means.

    Parameters
    ----------
    heads : NDArray or list of NDArray
        Results of a recorded computation.
    head_grads : NDArray or list of (NDArray or None), optional
        Gradient of the final result with respect to each head; ones where it is None.
    retain_graph : bool
        Whether to keep the graph, so that it can be differentiated again.
    train_mode : bool
        Ignored, as in MXNet: operators are differentiated as they were recorded.

    Raises
    ------
    AutogradError
        If a head was not recorded, or its graph was released by an earlier call.
    """
    del train_mode
    arrays, starts = _starts_of(heads, head_grads)
    if state.around is None:
        arrays[0]._quietly(backward_pass, starts, retain_graph)
    else:
        state.around(starts, partial(arrays[0]._quietly, backward_pass, starts, retain_graph))


def _starts_of(
    heads: Any, head_grads: Any, create_graph: bool = False
) -> tuple[Any, list[tuple[Node, Any]]]:
    """The heads as a sequence, and for each its node and the gradient to start with."""
    if not isinstance(heads, (list, tuple)):
        heads, head_grads = (heads,), (head_grads,)
    elif not heads:
        raise AutogradError(_NOT_RECORDED)
    elif head_grads is None:
        head_grads = [None] * len(heads)
    elif len(head_grads) != len(heads):
        raise OptionError(
            "head_grads must hold one gradient (or None) for each head. "
            f"Got {len(head_grads)} for {len(heads)} heads instead."
        )
    return heads, [
        _start_of(head, given, create_graph) for head, given in zip(heads, head_grads, strict=True)
    ]


def _start_of(head: Recorded, given: Any, create_graph: bool) -> tuple[Node, Any]:
    """The node of a head, and the gradient with which the backward pass starts there."""
    if head._node is None:
        raise AutogradError(_NOT_RECORDED)
    gradient = head._head_gradient(given)
    if create_graph and given is not None:
        gradient = head._recording(gradient, given._node)
    return head._node, gradient


def grad(
    heads: Any,
    variables: Any,
    head_grads: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    train_mode: bool = True,
) -> Any:
    """Return the gradients of ``heads`` with respect to ``variables``; ``.grad`` is not changed.

    Parameters
    ----------
    heads : NDArray or list of NDArray
        Results of a recorded computation.
    variables : NDArray or list of NDArray
        Arrays with `attach_grad`.
    head_grads : NDArray or list of (NDArray or None), optional
        Gradient of the final result with respect to each head; ones where it is None.
    retain_graph : bool, optional
        Whether to keep the graph, so that it can be differentiated again; by default as ``create_graph``.
    create_graph : bool
        Whether to record the computation of the gradients, inside a `record` scope or not, so that they can be
        differentiated too.
    train_mode : bool
        Ignored, as in MXNet: operators are differentiated as they were recorded.

    Returns
    -------
    list of NDArray
        One for each variable; a list for a single variable too, as in MXNet.

    Raises
    ------
    AutogradError
        If a variable has no `attach_grad`, the heads were not computed from it, or the graph was released.
    """
    del train_mode
    wanted = list(variables) if isinstance(variables, list | tuple) else [variables]
    arrays, starts = _starts_of(heads, head_grads, create_graph)
    for position, variable in enumerate(wanted):
        if type(variable._node) is not Leaf:
            raise AutogradError(_variable_error(position, "has no attach_grad() before recording"))
    found: dict[Leaf, Any] = {}
    retain = create_graph if retain_graph is None else retain_graph
    recording = arrays[0]._recording if create_graph else None
    arrays[0]._quietly(backward_pass, starts, retain, found.__setitem__, recording)
    for position, variable in enumerate(wanted):
        if variable._node not in found:
            raise AutogradError(_variable_error(position, "is not part of the heads' computation"))
    return [variable._like(found[variable._node]) for variable in wanted]


def _variable_error(position: int, why: str) -> str:
    return (
        "grad() must be given variables that the heads were computed from. "
        f"The one at position {position} {why}."
    )


def mark_variables(variables: Any, gradients: Any, grad_reqs: Any = "write") -> None:
    """Make ``variables`` leaves of the graph whose gradients are written to ``gradients``; `attach_grad` does this.

    Parameters
    ----------
    variables : NDArray or list of NDArray
        Arrays to differentiate with respect to.
    gradients : NDArray or list of NDArray
        Arrays of the same shapes, for the gradients.
    grad_reqs : str or list of str
        What a backward pass does with the gradient: ``"write"`` replaces the last one, ``"add"`` adds to it, ``"null"``
        drops it.
    """
    if not isinstance(variables, list | tuple):
        variables, gradients = [variables], [gradients]
    if isinstance(grad_reqs, str):
        grad_reqs = [grad_reqs] * len(variables)
    for variable, gradient, grad_req in zip(variables, gradients, grad_reqs, strict=True):
        variable._mark(gradient, grad_req)


@contextmanager
def watch(watcher: Watcher) -> Iterator[None]:
    """Scope in which every backward pass calls ``watcher(node, gradient)`` when it reaches a node.

    Parameters
    ----------
    watcher : callable
        Called with the `Node` and the gradient of the result with respect to its output.
    """
    before = state.watchers
    state.watchers = (*before, watcher)
    try:
        yield
    finally:
        state.watchers = before


@contextmanager
def watch_backward(around: Around) -> Iterator[None]:
    """Scope in which every `backward` calls ``around(heads, backward_pass)``; `grad` does not.

    Parameters
    ----------
    around : callable
        Must call ``backward_pass()`` once. ``heads`` are pairs of a node and the gradient to start with.
    """
    before = state.around
    state.around = around
    try:
        yield
    finally:
        state.around = before
