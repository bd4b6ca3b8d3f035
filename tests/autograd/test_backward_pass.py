"""Nodes and the backward pass on plain numbers: autograd knows no arrays."""

from __future__ import annotations

import gc
import math
import weakref

import pytest

from learnrate.autograd import Leaf, Node, Operator, graph, watch
from learnrate.autograd.backward import backward_pass
from learnrate.errors import AutogradError

MULTIPLY = Operator(
    "multiply", float.__mul__, lambda g, out, x, y: g * y, lambda g, out, x, y: g * x
)
SINE = Operator("sine", math.sin, lambda g, out, x: g * math.cos(x))
TOTAL = Operator("total", lambda *x: sum(x), every=lambda i, g, out, *x: g)


class Cell:
    """Where a leaf's gradient is kept."""

    def __init__(self) -> None:
        self.value = 0.0

    def _replace(self, gradient: float) -> None:
        self.value = gradient

    def _accumulate(self, gradient: float) -> None:
        self.value += gradient


def leaf(value: float, grad_req: str = "write") -> Leaf:
    return Leaf(value, Cell(), grad_req)


def apply(operator: Operator, *inputs: Node | float) -> Node:
    """A recorded operation on nodes and constants."""
    values = tuple(node.output if isinstance(node, Node) else node for node in inputs)
    parents = tuple(node if isinstance(node, Node) else None for node in inputs)
    return Node(operator, parents, values, operator.forward(*values))


def gradient(node: Leaf) -> float:
    assert isinstance(node.grad, Cell)
    return node.grad.value


def test_the_chain_rule_over_ways_that_meet_again() -> None:
    x, y = leaf(0.7), leaf(3.0)
    product = apply(MULTIPLY, x, y)
    out = apply(MULTIPLY, apply(SINE, product), apply(TOTAL, x, product, x))
    backward_pass([(out, 1.0)])
    s, t = math.sin(2.1), 2 * 0.7 + 2.1
    assert gradient(x) == pytest.approx(3 * math.cos(2.1) * t + s * (2 + 3))
    assert gradient(y) == pytest.approx(0.7 * math.cos(2.1) * t + s * 0.7)


def test_several_heads_add_up_also_when_one_leads_to_another() -> None:
    x = leaf(2.0)
    square = apply(MULTIPLY, x, x)
    cube = apply(MULTIPLY, square, x)
    backward_pass([(square, 10.0), (cube, 1.0), (square, 100.0)])
    assert gradient(x) == 110 * 4 + 12


def test_constants_are_passed_by() -> None:
    def fail(g: float, out: float, x: float, y: float) -> float:
        raise AssertionError("the gradient of a constant was computed")

    x = leaf(2.0)
    backward_pass(
        [(apply(Operator("once", float.__mul__, lambda g, o, x, y: g * y, fail), x, 5.0), 1.0)]
    )
    assert gradient(x) == 5


def test_a_leaf_may_be_a_head() -> None:
    x = leaf(2.0)
    backward_pass([(x, 3.0)])
    assert gradient(x) == 3


@pytest.mark.parametrize(("grad_req", "expected"), [("write", 4.0), ("add", 8.0)])
def test_what_a_leaf_does_with_a_second_gradient(grad_req: str, expected: float) -> None:
    x = leaf(2.0, grad_req)
    out = apply(MULTIPLY, x, x)
    backward_pass([(out, 1.0)], retain_graph=True)
    backward_pass([(out, 1.0)], retain_graph=True)
    assert gradient(x) == expected


def test_a_backward_pass_that_reaches_no_leaf_says_so() -> None:
    with pytest.raises(AutogradError, match="attach_grad"):
        backward_pass([(apply(SINE, leaf(1.0, "null")), 1.0)])


def test_a_graph_is_used_up_once() -> None:
    x = leaf(2.0)
    shared = apply(SINE, x)
    first, second = apply(SINE, shared), apply(MULTIPLY, shared, x)
    backward_pass([(first, 1.0)])
    for head in (first, second):
        with pytest.raises(AutogradError, match="retain_graph=True"):
            backward_pass([(head, 1.0)])


def test_what_was_used_up_is_a_constant_to_what_is_recorded_later() -> None:
    x = leaf(2.0)
    square = apply(MULTIPLY, x, x)
    backward_pass([(square, 1.0)])
    later = Node(MULTIPLY, (square, x), (4.0, 2.0), 8.0)
    backward_pass([(later, 1.0)])
    assert gradient(x) == 4


def test_a_graph_may_be_deep() -> None:
    x = leaf(0.5)
    node: Node = x
    for _ in range(200_000):
        node = apply(MULTIPLY, node, 1.0)
    backward_pass([(node, 1.0)], retain_graph=True)
    assert gradient(x) == 1
    assert len(graph(node)) == 200_001
    del node  # and to let go of it recurses no deeper


def test_a_wide_graph_takes_no_quadratic_time() -> None:
    x = leaf(1.0)
    out = apply(SINE, x)
    for _ in range(50_000):
        out = apply(TOTAL, out, apply(SINE, x))
    backward_pass([(out, 1.0)])
    assert gradient(x) == pytest.approx(50_001 * math.cos(1))


def test_a_used_up_graph_lets_go_of_its_values() -> None:
    class Value(float):
        """A float that can be watched."""

    value = Value(3.0)
    watched = weakref.ref(value)
    x = leaf(2.0)
    out = Node(MULTIPLY, (x, None), (2.0, value), 6.0)
    del value
    backward_pass([(out, 1.0)])
    gc.collect()
    assert watched() is None


def test_a_watcher_sees_each_node_with_its_gradient_in_reverse() -> None:
    x = leaf(2.0)
    square = apply(MULTIPLY, x, x)
    out = apply(MULTIPLY, square, 5.0)
    seen: list[tuple[Node, float]] = []
    with watch(lambda node, gradient: seen.append((node, gradient))):
        backward_pass([(out, 1.0)], retain_graph=True)
    assert seen == [(out, 1.0), (square, 5.0), (x, 20.0)]
    backward_pass([(out, 1.0)])
    assert len(seen) == 3


def test_the_graph_lists_nodes_as_they_were_made_and_shows_itself() -> None:
    x, y = leaf(2.0), leaf(3.0)
    product = apply(MULTIPLY, x, y)
    out = apply(SINE, product)
    assert graph(out) == [x, y, product, out]
    assert [node.operator.name for node in graph(out)] == [
        "variable",
        "variable",
        "multiply",
        "sine",
    ]
    assert repr(MULTIPLY) == "<Operator multiply>"
    assert repr(out).startswith("<Node ")
    assert ": sine " in repr(out)
    assert out.values == (6.0,)
    assert product.parents == (x, y)
