"""An opened ``backward()`` of a script: its numbers against plain NumPy, its rules against its numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from learnrate.book.steps.abridging import largest
from learnrate.book.steps.explanation import ScriptExplanation
from learnrate.book.steps.files import render_html, render_svg
from learnrate.book.steps.formula import _Part, _Reader
from learnrate.book.steps.opened import GraphNode
from learnrate.book.steps.terminal import render_text
from tests.book.steps.scripts import MOMENTUM, PERCEPTRON, SOFTMAX, opened


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def values(e: ScriptExplanation) -> dict[str, Any]:
    return {node.name: node.values for node in e.nodes}


def gradients(e: ScriptExplanation) -> dict[str, Any]:
    return {node.name: node.gradient for node in e.nodes if node.gradient is not None}


def softmax(z: Any) -> Any:
    p = np.exp(z - z.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def test_softmax_regression_is_p_minus_y() -> None:
    e = opened(SOFTMAX, 2)
    v, g = values(e), gradients(e)
    X = v["X"].reshape(5, 3)
    p = softmax(X @ v["W"] + v["b"])
    residual = p - np.eye(4)[v["y"].astype(int)]
    np.testing.assert_allclose(v["y_hat"], p, rtol=1e-5)
    np.testing.assert_allclose(v["l"], -np.log(p[range(5), v["y"].astype(int)]), rtol=1e-5)
    np.testing.assert_allclose(g["W"], X.T @ residual, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(g["b"], residual.sum(axis=0), rtol=1e-4, atol=1e-6)
    assert e.loss == pytest.approx(v["l"].sum(), rel=1e-5)
    [update] = e.updates
    assert update.rate == pytest.approx(0.1, rel=1e-4)
    for step in update.parameters:
        np.testing.assert_allclose(step.new, step.old - 0.1 * g[step.name], rtol=1e-5, atol=1e-7)
    again = values(opened(SOFTMAX, 3))
    np.testing.assert_array_equal(again["W"], update.parameters[0].new)


def test_the_code_is_the_scripts() -> None:
    e = opened(SOFTMAX, 2)
    assert e.forward_code.startswith("with autograd.record():\n    y_hat = net(X)\n    l = ")
    assert e.backward_code == "l.backward()"
    update = "for param in [W, b]:\n    param[:] = param - 0.5 * param.grad / 5"
    assert e.update_code == update
    assert Path("script.py").read_text().splitlines()[e.line - 1].strip() == "l.backward()"
    assert opened(PERCEPTRON).update_code == "trainer.step(1)"


def test_a_perceptron_with_relu_dropout_and_adam() -> None:
    e = opened(PERCEPTRON, 3)
    v, g = values(e), gradients(e)
    names = [node.name for node in e.nodes if node.kind == "parameter"]
    assert [name.partition("_")[2] for name in names] == ["weight", "bias"] * 2
    W1, b1, W2, b2 = (v[name] for name in names)
    pre = v["features"] @ W1.T + b1
    hidden = np.maximum(pre, 0) * v["mask1"] / 0.5
    p = softmax(hidden @ W2.T + b2)
    back = (p - np.eye(3)[v["labels"].astype(int)]) / 6
    under = (back @ W2) * v["mask1"] / 0.5 * (pre > 0)
    expected = (under.T @ v["features"], under.sum(axis=0), back.T @ hidden, back.sum(axis=0))
    for name, gradient in zip(names, expected, strict=True):
        np.testing.assert_allclose(g[name], gradient, rtol=1e-4, atol=1e-6)
    [update] = e.updates
    assert update.constants.items() >= {"η": 0.1, "β₁": 0.9, "β₂": 0.999, "t": 3}.items()
    for step in update.parameters:
        gradient = g[step.name].astype(float)
        (m0, m), (v0, v1) = (
            [side.astype(float) for side in step.kept[letter]] for letter in ("m", "v")
        )
        assert np.abs(m0).max() > 0
        np.testing.assert_allclose(m, 0.9 * m0 + 0.1 * gradient, rtol=1e-4, atol=1e-7)
        np.testing.assert_allclose(v1, 0.999 * v0 + 0.001 * gradient**2, rtol=1e-4, atol=1e-9)
        rate = 0.1 * np.sqrt(1 - 0.999**3) / (1 - 0.9**3)
        change = -rate * m / (np.sqrt(v1) + 1e-8)
        np.testing.assert_allclose(step.new - step.old, change, rtol=1e-3, atol=1e-6)


def test_momentum_remembers() -> None:
    first, second = (opened(MOMENTUM, n).updates[0].parameters[0] for n in (1, 2))
    assert (first.kept["v"][0] == 0).all()
    np.testing.assert_array_equal(first.kept["v"][1], second.kept["v"][0])
    np.testing.assert_array_equal(first.new, second.old)
    expected = 0.9 * second.kept["v"][0] - 0.1 * second.gradient / 2
    np.testing.assert_allclose(second.kept["v"][1], expected, rtol=1e-5)
    np.testing.assert_allclose(second.new, second.old + expected, rtol=1e-5)


@pytest.mark.parametrize("text", [SOFTMAX, PERCEPTRON, MOMENTUM])
def test_finite_differences_agree(text: str) -> None:
    e = opened(text, 2)
    size = np.abs(e.check.backward).max()
    assert e.check.disagreement < 1e-5 * size
    names = {name for name, _ in e.check.elements}
    assert names == {step.name for update in e.updates for step in update.parameters}


def test_a_wrong_gradient_would_be_seen() -> None:
    wrong = """
from learnrate.autograd import Operator
from learnrate.nd.apply import unary
from mxnet import autograd, nd
import numpy
cube = Operator("cube", lambda x: x**3, lambda g, out, x: g * 2 * x**2)
x = nd.array([1.0, 2.0], dtype="float64")
x.attach_grad()
with autograd.record():
    y = unary(cube, x)
y.backward()
"""
    e = opened(wrong)
    assert e.check.disagreement == pytest.approx(4, rel=1e-6)
    assert next(node for node in e.nodes if node.name == "x").rule == "grad(y) × ∂y/∂x"


MANY = """
from mxnet import autograd, nd

A, w, c = (nd.random.uniform(0.5, 1.5, shape=s, dtype="float64") for s in ((3, 4), (4, 2), (2,)))
k = nd.array([1, 0, 1], dtype="float64")
w.attach_grad()
c.attach_grad()
with autograd.record():
    a = nd.dot(A, w)
    b = a * c - c / a + (c - a) * 2
    d = nd.relu(b) + nd.sigmoid(b) - nd.tanh(a) + 1 / a
    f = nd.exp(-d) + nd.log(a) + nd.sqrt(a) + nd.square(c) + a**3 - nd.abs(b)
    s = nd.softmax(f) * nd.log_softmax(f)
    t = nd.where(a > 2, s, f) + nd.softrelu(s) + nd.sin(f) * nd.cos(f) + nd.maximum(s, f)
    m = nd.pick(t, k) + t.sum(axis=1) + t.mean(axis=1) + t.max(axis=1) + 2**k
    u = nd.dot(w.T, w).sum() + nd.clip(m, 1, 3).sum() + nd.reciprocal(m).sum() + m.min()
u.backward()
"""


@pytest.mark.parametrize("text", [MANY, SOFTMAX, PERCEPTRON])
def test_every_value_and_gradient_is_what_its_expression_and_rule_say(text: str) -> None:
    e = opened(text)
    v, g = values(e), gradients(e)
    tolerance = 1e-9 if text is MANY else 2e-4
    checked = 0
    for node in e.nodes:
        if node.expression and not _is_plain(node):
            found = worth(node.expression, v, g, node)
            np.testing.assert_allclose(
                node.values, np.reshape(found, node.shape), rtol=tolerance, atol=1e-6
            )
            checked += 1
        if node.gradient is not None and node.rule != "1":
            found = worth(node.rule, v, g, node)
            np.testing.assert_allclose(
                node.gradient, np.broadcast_to(found, node.shape), rtol=tolerance, atol=1e-5
            )
    assert checked > 5


def _is_plain(node: GraphNode) -> bool:
    """Whether an expression leaves out what only its shape tells."""
    return node.operator in ("sum", "mean", "max", "min", "where", "reshape", "clip", "pick")


FUNCTIONS = {
    "relu": lambda x: np.maximum(x, 0),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "softrelu": lambda x: np.log1p(np.exp(x)),
    "softmax": softmax,
    "log_softmax": lambda x: np.log(softmax(x)),
    "reciprocal": lambda x: 1 / x,
    "copy": np.copy,
    "astype": np.copy,
    **{name: getattr(np, name) for name in ("exp", "log", "sqrt", "tanh", "sin", "cos", "abs")},
    **{name: getattr(np, name) for name in ("sign", "maximum", "minimum", "greater")},
}


def worth(formula: str, v: dict[str, Any], g: dict[str, Any], node: GraphNode) -> Any:
    """The value of an expression or a rule, as a reader would work it out."""

    def go(part: _Part, inner: bool = True) -> Any:
        if part.kind == "number":
            return float(part.text)
        if part.kind == "name":
            return v[part.text]
        if part.kind == "call":
            if part.text == "grad":
                return g[name_of(part.parts[0])]
            if part.text == "reshape":
                return np.reshape(go(part.parts[0]), node.shape)
            return FUNCTIONS[part.text](*map(go, part.parts))
        if part.kind == "bracket":
            [condition] = part.parts
            if condition.parts[0] == _Part("name", "j"):
                labels = go(condition.parts[1]).astype(int)
                return np.eye(node.shape[1])[labels]
            return go(condition)
        if part.kind == "prefix" and part.text == "Σ":
            total = go(part.parts[0])
            return total.sum(axis=-1, keepdims=True) if inner else to_shape(total, node.shape)
        if part.text == "≤" and part.parts[0].text == "≤":  # a ≤ b ≤ c
            low, middle = part.parts[0].parts
            return (go(low) <= go(middle)) & (go(middle) <= go(part.parts[1]))
        inside = [go(p) for p in part.parts]
        if part.kind == "between" and part.text != "·" and len({np.ndim(x) for x in inside}) > 1:
            inside = columns(inside, node.shape)
        match part.kind, part.text:
            case "prefix", "−":
                return -inside[0]
            case "postfix", "ᵀ":
                return inside[0].T
            case "postfix", "²":
                return inside[0] ** 2
            case "power", _:
                return inside[0] ** inside[1]
            case "group", _:
                return inside[0]
            case "between", "·":
                return inside[0] @ inside[1]
            case "between", sign:
                return OPERATIONS[sign](*inside)
        raise AssertionError(part)

    def name_of(part: _Part) -> str:
        return part.text if part.kind == "name" else f"{part.parts[0].text}²"

    whole = _Reader(formula).whole()
    terms = [whole]
    while terms[0].kind == "between" and terms[0].text == "+" and "grad" in formula:
        terms[:1] = terms[0].parts
    return sum(columns_to(go(term, inner=False), node.shape) for term in terms)


OPERATIONS = {
    "+": np.add,
    "−": np.subtract,
    "×": np.multiply,
    "": np.multiply,
    "/": np.divide,
    ">": np.greater,
    "<": np.less,
    "≥": np.greater_equal,
    "≤": np.less_equal,
    "=": np.equal,
}


def to_shape(total: Any, shape: tuple[int, ...]) -> Any:
    while total.ndim > len(shape):
        total = total.sum(axis=0)
    for axis, size in enumerate(shape):
        if size == 1:
            total = total.sum(axis=axis, keepdims=True)
    return total


def columns(inside: list[Any], shape: tuple[int, ...]) -> list[Any]:
    """One number for each row stands beside rows as a column."""
    rows = max(np.shape(x)[0] if np.ndim(x) > 1 else 0 for x in inside)
    return [
        x[:, None] if np.ndim(x) == 1 and len(x) == rows and rows != shape[-1] else x
        for x in inside
    ]


def columns_to(value: Any, shape: tuple[int, ...]) -> Any:
    """The same beside an array of this shape."""
    if np.ndim(value) == 1 and len(shape) == 2 and len(value) == shape[0] != shape[1]:
        return value[:, None]
    return value


def test_names_are_the_scripts_and_no_two_nodes_share_one() -> None:
    for text in (SOFTMAX, PERCEPTRON, MOMENTUM, MANY):
        names = [node.name for node in opened(text).nodes]
        assert len(set(names)) == len(names)
    assert {"X", "W", "b", "y", "y_hat", "l"} <= {node.name for node in opened(SOFTMAX).nodes}


def test_arrays_in_lists_have_their_places_as_names() -> None:
    e = opened(
        "from mxnet import autograd, nd\n"
        "params = [nd.ones(2), nd.ones(2)]\n"
        "for p in params:\n    p.attach_grad('add')\n"
        "del p\n"
        "for _ in range(2):\n"
        "    with autograd.record():\n        l = params[0] * params[1] * params[0]\n"
        "    autograd.backward([l, params[0] + 0 if False else l], [None, nd.array([2.0, 3.0])])\n",
        2,
    )
    assert {"params[0]", "params[1]"} <= {node.name for node in e.nodes}
    first = next(node for node in e.nodes if node.name == "params[0]")
    assert first.gradient is not None
    np.testing.assert_array_equal(first.gradient, [6, 8])
    [kept, _] = e.attached
    assert kept.grad_req == "add"
    np.testing.assert_array_equal(kept.grad, [6, 8])  # of the first backward()
    assert e.updates == ()
    assert e.check.disagreement < 1e-6


def test_a_rule_of_ones_own_and_a_parameter_alone() -> None:
    head = "from mxnet import autograd, nd\nx = nd.array([3.0, 2.0])\nx.attach_grad()\n"
    own = opened(
        head + "with autograd.record():\n    y = x * x\ny.backward()\nx[:] = x - x.grad**3\n"
    )
    [update] = own.updates
    assert (update.formulas, update.rate) == ((), None)
    np.testing.assert_array_equal(update.parameters[0].new, [3 - 6**3, 2 - 4**3])
    alone = opened(head + "x.backward()\n")
    assert [node.name for node in alone.nodes] == ["x"]
    assert alone.check.backward.tolist() == [1, 1]
    np.testing.assert_allclose(alone.check.finite_difference, [1, 1])


def test_what_a_script_keeps_by_itself_is_shown() -> None:
    text = """
from mxnet import autograd, nd

X, w, b = nd.array([[1.0, 2.0], [3.0, 4.0], [5.0, 7.0]]), nd.ones((2, 1)), nd.ones(1)
states = ((nd.zeros((2, 1)), nd.zeros((2, 1))), (nd.zeros(1), nd.zeros(1)))
other = nd.zeros((2, 1))
for p in (w, b):
    p.attach_grad()
for t in range(4):
    with autograd.record():
        l = ((nd.dot(X, w) + b) ** 2).mean()
    l.backward()
    for p, (v, s) in zip((w, b), states):
        v[:] = 0.9 * v + 0.1 * p.grad
        s[:] = 0.999 * s + 0.001 * p.grad.square()
        p[:] -= 0.01 * v / (s.sqrt() + 1e-6)
"""
    of_w, of_b = opened(text, 2).updates
    assert (of_w.formulas, of_w.rate) == ((), None)
    [step] = of_w.parameters
    assert [list(update.parameters[0].kept) for update in (of_w, of_b)] == [
        ["states[0][0]", "states[0][1]"],
        ["v", "s"],  # the names of the loop's last turn
    ]
    (v0, v), (s0, s) = step.kept.values()
    np.testing.assert_allclose(v, 0.9 * v0 + 0.1 * step.gradient, rtol=1e-5)
    np.testing.assert_allclose(s, 0.999 * s0 + 0.001 * step.gradient**2, rtol=1e-5)
    np.testing.assert_allclose(step.new, step.old - 0.01 * v / (np.sqrt(s) + 1e-6), rtol=1e-5)


def test_a_deep_graph_is_abridged() -> None:
    e = opened(
        "from mxnet import autograd, nd\nx = nd.ones(2)\nx.attach_grad()\n"
        "with autograd.record():\n    y = x\n    for _ in range(1500):\n        y = y * 0.999 + x\n"
        "y.backward()\n"
    )
    x = e.nodes[0]
    assert x.rule.count("…") == 1
    assert len(x.rule) < 400
    for render in (render_html, render_svg, render_text):
        text = render(e)
        assert "more operations" in text or "more rows" in text
        assert len(text) < 200_000


def test_it_ends_at_the_next_backward(capsys: pytest.CaptureFixture[str]) -> None:
    opened(PERCEPTRON, 2)
    assert [line.split()[1] for line in capsys.readouterr().out.splitlines()] == ["0", "1"]


def test_everything_is_in_the_json() -> None:
    e = opened(PERCEPTRON, 2)
    found = json.loads(json.dumps(e.as_dict(), allow_nan=False))
    assert (found["script"], found["number"]) == ("script.py", 2)
    np.testing.assert_allclose(found["nodes"][0]["values"], e.nodes[0].values)
    update = e.updates[0].parameters[0]
    np.testing.assert_allclose(
        found["updates"][0]["parameters"][0]["kept"]["m"][1], update.kept["m"][1]
    )
    assert repr(e).startswith("<ScriptExplanation: backward() 2 of script.py, ")


def test_the_largest_elements_are_found_in_their_order() -> None:
    chosen = largest({"a": np.array([[1.0, -9, 3], [np.nan, 0, 4]]), "b": np.array([5.0])}, 6)
    assert {name: at.tolist() for name, at in chosen.items()} == {"a": [1, 3, 5], "b": [0]}
