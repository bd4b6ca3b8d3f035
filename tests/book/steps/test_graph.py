"""The graph that is shown is the one that was recorded, and its expressions and rules are true."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from learnrate.book.steps import Explanation, explain


def evaluate(formula: str, names: dict[str, Any]) -> Any:
    """The value of an expression or a rule, as a reader would work it out."""
    formula = formula.replace("r²", "r2")
    if formula.startswith("Σ "):
        return evaluate(formula[2:], names).sum(axis=0)
    if formula.startswith("Xᵀ · "):
        return names["X"].T @ evaluate(formula[5:], names)
    for symbol, python in (("X·w", "X @ w"), ("·", "*"), ("−", "-"), ("×", "*"), ("2r", "2 * r")):
        formula = formula.replace(symbol, python)
    return eval(formula, {}, {name.replace("r²", "r2"): value for name, value in names.items()})


@pytest.fixture(scope="module", params=["note", "large"])
def step(request: pytest.FixtureRequest) -> Explanation:
    found: Explanation = request.getfixturevalue(request.param)
    return found


def test_each_value_is_what_its_expression_says(step: Explanation) -> None:
    names = {node.name: node.values for node in step.nodes}
    operations = [node for node in step.nodes if node.kind == "operation"]
    assert [node.name for node in operations] == ["Xw", "ŷ", "r", "r²", "loss"]
    for node in operations:
        np.testing.assert_allclose(node.values, evaluate(node.expression, names), rtol=1e-12)


def test_each_gradient_is_what_its_rule_says(step: Explanation) -> None:
    gradients = {node.name.replace("r²", "r2"): node.gradient for node in step.nodes}
    first, *others = step.visited
    assert (first.name, first.rule) == ("loss", "1")
    assert first.gradient is not None
    assert (first.gradient == 1).all()
    for node in others:
        rule = node.rule.replace("r²", "r2")
        for name in gradients:
            rule = rule.replace(f"grad({name})", f"grad_{name}")
        known: dict[str, Any] = {node.name: node.values for node in step.nodes}
        known |= {f"grad_{name}": value for name, value in gradients.items()}
        assert node.gradient is not None
        assert node.gradient.shape == node.shape
        np.testing.assert_allclose(node.gradient, evaluate(rule, known), rtol=1e-12)


def test_backward_visits_each_node_after_those_computed_from_it(step: Explanation) -> None:
    assert [node.visited for node in step.visited] == list(range(1, 8))
    place = {node.id: node.visited for node in step.visited}
    for node in step.visited:
        for parent in node.parents:
            if parent in place:
                assert (place[parent] or 0) > (node.visited or 0)
    assert {node.name for node in step.nodes if node.visited is None} == {"X", "y"}


def test_parents_come_before_children(step: Explanation) -> None:
    seen: set[str] = set()
    for node in step.nodes:
        assert seen >= set(node.parents)
        seen.add(node.id)


def test_the_graph_holds_the_values_before_the_update() -> None:
    e = explain("note", step=3)
    w = next(node for node in e.nodes if node.name == "w")
    np.testing.assert_array_equal(w.values, e.updates[0].old)
    assert w.gradient is not None
    np.testing.assert_array_equal(w.gradient, e.updates[0].gradient)
    assert (w.values != e.updates[0].new).all()
