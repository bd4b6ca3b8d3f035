"""The backward sweep: from the last node to the first, the chain rule once per node."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from heapq import heapify, heappop, heappush
from typing import Any, Protocol

from learnrate.autograd.node import Leaf, Node, release
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
    def _quietly(function: Callable[..., None], *args: Any) -> None:
        """Call ``function(*args)``, a sweep, with the warnings of its arithmetic off."""


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
        If part of the graph was used up by an earlier sweep, or no leaf was reached.
    """
    gradients: dict[Node, Any] = {}
    for node, gradient in seeds:
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
        for i, parent in enumerate(parents):
            if parent is None or (parent.parents is None and parent.spent_before(node)):
                continue
            part = rules[i](gradient, output, *values)
            if parent in gradients:
                gradients[parent] = gradients[parent] + part
            else:
                gradients[parent] = part
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
    arrays[0]._quietly(sweep, seeds, retain_graph)


def _seeds(heads: Any, head_grads: Any) -> tuple[Any, list[tuple[Node, Any]]]:
    """The heads as a sequence, and the node and first gradient of each."""
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
    return heads, [_seed(head, given) for head, given in zip(heads, head_grads, strict=True)]


def _seed(head: Recorded, given: Any) -> tuple[Node, Any]:
    """The node of a head, and the gradient that its sweep starts with."""
    if head._node is None:
        raise AutogradError(_NOT_RECORDED)
    return head._node, head._head_gradient(given)


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
    list of NDArray
        One for each variable; a list for a single variable too, as in MXNet.

    Raises
    ------
    AutogradError
        If a variable has no `attach_grad`, or the heads were not computed from it.
    """
    if create_graph:
        raise OptionError("create_graph must be False: gradients of gradients are not supported.")
    del train_mode
    wanted = list(variables) if isinstance(variables, list | tuple) else [variables]
    arrays, seeds = _seeds(heads, head_grads)
    for position, variable in enumerate(wanted):
        if type(variable._node) is not Leaf:
            raise AutogradError(_variable_error(position, "has no attach_grad() before recording"))
    found: dict[Leaf, Any] = {}
    arrays[0]._quietly(sweep, seeds, bool(retain_graph), found.__setitem__)
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
