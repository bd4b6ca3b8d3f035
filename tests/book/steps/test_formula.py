"""Formulas: what they are worth, and how they are typeset."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from learnrate.book.steps.formula import evaluate, mathml, with_numbers
from learnrate.compat.mxnet.optimizer import _BY_NAME, Optimizer, Step, create, watch_steps
from learnrate.nd import NDArray

VALUES = {"a": 3.0, "b": -2.0, "β₁": 0.5, "η_t": 0.25, "|B|": 10.0, "t": 3.0}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a + b·a", -3.0),
        ("a − b − a", 2.0),
        ("−a² / |B|", -0.9),
        ("(1 − β₁^t) / (2a)", 0.875 / 6),
        ("η_t × √(a·a) + ½(a + b)", 1.25),
        ("clip(a, 1) + clip(b, 1)", 0.0),
        ("a / b / 2", -0.75),
    ],
)
def test_a_formula_is_worth_what_python_makes_of_it(text: str, value: float) -> None:
    assert evaluate(text, dict(VALUES)) == pytest.approx(value)


def test_an_assignment_is_kept() -> None:
    values = dict(VALUES)
    assert evaluate("g ← a + b", values) == 1
    assert evaluate("a ← g·a", values) == 3
    assert values["g"] == 1


def test_numbers_stand_in_the_place_of_names() -> None:
    numbers = {"a": "3", "b": "−2", "g": "0.5"}
    text = with_numbers("a ← a·b − (1 − b)·g² / √(a + 1)", numbers)
    assert text == "3 × (−2) − (1 − (−2)) × (0.5)² / √(3 + 1)"
    assert evaluate(text, {}) == pytest.approx(3 * -2 - 3 * 0.25 / 2)


@pytest.mark.parametrize(
    ("text", "elements"),
    [
        ("w ← w − η·g / √(s + ε)", {"mfrac": 1, "msqrt": 1}),
        ("β₂·v + (1 − β₂)·g²", {"msub": 2, "msup": 1}),
        ("grad(h1) × 2h1 > 0", {"mn": 2}),
        ("X_ᵀ<b>&'", {"mtext": 1}),
        ("h1[i, labels]", {"mi": 3}),
        ("2e05 × 2.5e10", {"msup": 2}),
        ("Σ (grad(y_hat) × [h1 > 0])ᵀ · W1", {"msup": 1}),
    ],
)
def test_mathml_is_well_formed_and_complete(text: str, elements: dict[str, int]) -> None:
    root = ElementTree.fromstring(mathml(text, block=True))
    assert root.tag == "math"
    assert not list(ElementTree.fromstring(mathml(text)).iter("mfrac"))
    for name, count in elements.items():
        assert len(list(root.iter(name))) == count
    shown = "".join(root.itertext())
    for sign in "←+−<>":
        assert shown.count(sign) == text.count(sign)
    if "mtext" in elements:
        assert shown == text


@pytest.mark.parametrize("text", ["", "a +", "(a", "a)", "a b", "← 3", "[a", "a[", "f(", "∂"])
def test_what_is_no_formula_is_text(text: str) -> None:
    assert "".join(ElementTree.fromstring(mathml(text)).itertext()) == text
    with pytest.raises(ValueError, match=r"must come|may follow"):
        evaluate(text, {})


OPTIONS = [{}, {"wd": 0.1}, {"clip_gradient": 0.02, "wd": 0.3}]


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("name", [*_BY_NAME, "momentum"])
def test_an_optimizers_formulas_give_what_it_does(name: str, options: dict[str, float]) -> None:
    kind, more = ("sgd", {"momentum": 0.9}) if name == "momentum" else (name, {})
    if name == "nag":
        more = {"momentum": 0.8}
    optimizer: Optimizer = create(kind, rescale_grad=0.1, **more, **options)
    rng = np.random.default_rng(0)
    weight = NDArray(rng.normal(size=(2, 3)))
    seen: list[Step] = []
    with watch_steps(seen.append):
        for _ in range(3):
            optimizer.update(0, weight, NDArray(rng.normal(size=(2, 3))))
    optimizer.update(0, weight, NDArray(rng.normal(size=(2, 3))))
    assert len(seen) == 3
    rng = np.random.default_rng(0)
    rng.normal(size=(2, 3))
    for step in seen:
        values: dict[str, Any] = {**step.constants, "w": step.old, "grad": rng.normal(size=(2, 3))}
        values |= {letter: before for letter, (before, _) in step.kept.items()}
        for formula in step.formulas:
            evaluate(formula, values)
        np.testing.assert_allclose(values["w"], step.new, rtol=1e-12)
        for letter, (_, after) in step.kept.items():
            np.testing.assert_allclose(values[letter], after, rtol=1e-12)
        assert set(step.kept) == (set() if name == "sgd" else set(optimizer.states))
        assert ("λ" in step.constants) == ("wd" in options)
