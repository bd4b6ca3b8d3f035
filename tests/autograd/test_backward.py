"""`backward`, `grad` and `mark_variables` on arrays: what the differential table does not pin down."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from learnrate import autograd, nd
from learnrate.errors import AutogradError, InputError, OptionError


def recorded() -> tuple[nd.NDArray, nd.NDArray]:
    x = nd.array([1, 2, 3])
    x.attach_grad()
    with autograd.record():
        y = x * x
    return x, y


def test_the_book_s_first_example() -> None:
    x = nd.arange(4).reshape((4, 1))
    x.attach_grad()
    with autograd.record():
        y = 2 * nd.dot(x.T, x)
    y.backward()
    assert (x.grad - 4 * x).norm().asscalar() == 0


def test_control_flow_is_recorded_as_it_ran() -> None:
    def f(a: nd.NDArray) -> nd.NDArray:
        b = a * 2
        while b.norm().asscalar() < 1000:
            b = b * 2
        return b if b.sum().asscalar() > 0 else 100 * b

    for start in (0.37, -0.37):
        a = nd.array([start])
        a.attach_grad()
        with autograd.record():
            c = f(a)
        c.backward()
        assert (a.grad == c / a).asscalar() == 1


def test_a_watcher_may_compute_with_arrays() -> None:
    x, y = recorded()
    seen = []
    with autograd.watch(lambda node, g: seen.append((node.operator.name, nd.array(g) * 2))):
        y.backward()
    assert [name for name, _ in seen] == ["multiply", "variable"]
    assert seen[1][1].asnumpy().tolist() == [4, 8, 12]
    assert x.grad.asnumpy().tolist() == [2, 4, 6]


def test_a_watcher_may_sweep_too() -> None:
    _, y = recorded()
    inner, z = recorded()
    with autograd.watch(lambda node, g: z.backward(retain_graph=True) if node is y._node else None):
        y.backward(retain_graph=True)
    assert inner.grad.asnumpy().tolist() == [2, 4, 6]


def test_nodes_show_operator_inputs_and_output() -> None:
    x, y = recorded()
    node = y._node
    assert node is not None
    assert node.operator.name == "multiply"
    assert node.parents == (x._node, x._node)
    assert [value.tolist() for value in node.values] == [[1, 2, 3], [1, 2, 3]]
    assert node.output.shape == (3,)


def test_gradients_of_diverging_values_are_quiet() -> None:
    x = nd.array([1e30, -1e30, 0])
    x.attach_grad()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with autograd.record():
            y = (x * x) ** 2 / x - x.log()
        y.backward()
    assert not np.isfinite(x.grad.asnumpy()).any()


def test_a_gradient_is_never_an_alias_of_another() -> None:
    x, y = nd.ones(2), nd.ones(2)
    x.attach_grad()
    y.attach_grad()
    head = nd.array([5, 7])
    with autograd.record():
        z = x + y
    z.backward(head)
    x.grad[:] = 0
    assert y.grad.asnumpy().tolist() == [5, 7]
    assert head.asnumpy().tolist() == [5, 7]
    w, [g] = nd.ones(2), [nd.ones(2)]
    w.attach_grad()
    with autograd.record():
        z = w + 1
    [g] = autograd.grad(z, w, head_grads=head)
    g[:] = 0
    assert head.asnumpy().tolist() == [5, 7]


def test_stop_gradient_stops_it() -> None:
    x, _ = recorded()
    with autograd.record():
        y = nd.stop_gradient(x) * x
    y.backward()
    assert x.grad.asnumpy().tolist() == [1, 2, 3]


def test_errors_say_what_to_do() -> None:
    x, y = recorded()
    with pytest.raises(AutogradError, match=r"autograd\.record"):
        nd.ones(2).backward()
    with pytest.raises(AutogradError, match="must be given an array"):
        autograd.backward([])
    with pytest.raises(InputError, match=r"float32 of shape \(3,\)"):
        y.backward(nd.ones(2))
    with pytest.raises(OptionError, match="one gradient"):
        autograd.backward([y, y], [None])
    with pytest.raises(OptionError, match="write, add, null"):
        x.attach_grad("twice")
    with pytest.raises(AutogradError, match="position 1 has no attach_grad"):
        autograd.grad(y, [x, nd.ones(2)])
    other = nd.ones(2)
    other.attach_grad()
    with pytest.raises(AutogradError, match="position 0 is not part"):
        autograd.grad(y, other, retain_graph=True)
    with pytest.raises(InputError, match="float32"):
        autograd.mark_variables([x], [np.zeros(3)])


def test_grad_takes_a_list_and_leaves_grad_alone() -> None:
    x, y = recorded()
    [gradient] = autograd.grad([y], [x], [nd.array([1, 0, 10])], retain_graph=True)
    assert gradient.asnumpy().tolist() == [2, 0, 60]
    assert x.grad.asnumpy().tolist() == [0, 0, 0]
    y.backward()
    assert x.grad.asnumpy().tolist() == [2, 4, 6]


def test_gradients_of_gradients() -> None:
    """MXNet's own example, exp(x) + x, and powers down to the constant."""
    x = nd.array([1.0])
    x.attach_grad()
    with autograd.record():
        z = nd.exp(x) + x
    [dx] = autograd.grad(z, [x], create_graph=True)
    assert dx.asscalar() == pytest.approx(1 + np.e)
    assert x.grad.asscalar() == 0
    dx.backward()
    assert x.grad.asscalar() == pytest.approx(np.e)

    x = nd.array([0, 1, 2])
    x.attach_grad()
    with autograd.record():
        derivative = x**4
    for expected in ([0, 4, 32], [0, 12, 48], [0, 24, 48], [24, 24, 24]):
        [derivative] = autograd.grad(derivative, x, create_graph=True)
        assert derivative.asnumpy().tolist() == expected


def test_a_penalty_on_the_gradient() -> None:
    """The derivative of |∂L/∂w|² with L = ½|Xw − y|² is 2 XᵀX Xᵀ(Xw − y)."""
    rng = np.random.default_rng(0)
    X, y, w = (nd.array(rng.normal(size=s), dtype="float64") for s in ((5, 3), (5, 1), (3, 1)))
    w.attach_grad()
    with autograd.record():
        loss = (nd.dot(X, w) - y) ** 2 / 2
        [slope] = autograd.grad(loss, w, create_graph=True)
        penalty = (slope**2).sum()
    penalty.backward()
    A, r = X.asnumpy(), X.asnumpy() @ w.asnumpy() - y.asnumpy()
    np.testing.assert_allclose(w.grad.asnumpy(), 2 * A.T @ A @ A.T @ r, rtol=1e-12)


def test_what_create_graph_records_and_keeps() -> None:
    x, y = recorded()
    [gradient] = autograd.grad(y, x)  # not recorded
    with pytest.raises(AutogradError, match="must be given an array"):
        gradient.backward()
    with autograd.record():
        y = nd.exp(x)
    [gradient] = autograd.grad(y, x, create_graph=True, retain_graph=False)
    with pytest.raises(AutogradError, match="used it up"):
        gradient.backward()
    x, y = recorded()
    weights = nd.array([1, 0, 10])
    weights.attach_grad()
    [gradient] = autograd.grad(y, x, weights, create_graph=True)
    gradient.backward()
    assert weights.grad.asnumpy().tolist() == [2, 4, 6]
    assert x.grad.asnumpy().tolist() == [2, 0, 20]
    gradient[:] = 0  # memory of its own
    assert x.asnumpy().tolist() == [1, 2, 3]
