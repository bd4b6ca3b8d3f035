"""A step on a target that is a class: its numbers against plain NumPy and a sweep, its words in both languages."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import learnrate
from learnrate.book.steps import Explanation, explain
from learnrate.book.steps.terminal import render_text
from learnrate.data import epoch_order, initial_weights
from learnrate.errors import OptionError


def examples(classes: int, n: int = 11, d: int = 2) -> tuple[Any, Any]:
    rng = np.random.default_rng(classes)
    X = rng.normal(size=(n, d))
    return X, np.array(["ash", "birch", "cedar"])[np.arange(n) % classes]


def softmax(z: Any) -> Any:
    e = np.exp(z)
    return e / e.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("classes", [2, 3])
def test_every_number_is_that_of_plain_numpy(classes: int) -> None:
    X, names = examples(classes)
    y = np.arange(len(X)) % classes
    C = 1 if classes == 2 else 3
    e = explain(X, names, lr=0.5, batch_size=4, seed=3, step=1)
    J = epoch_order(len(X), 4, seed=3, epoch=0)[:4]
    w = initial_weights(2, 3, C)
    z = X[J] @ w
    p = 1 / (1 + np.exp(-z)) if C == 1 else softmax(z)
    own = y[J][:, None] if C == 1 else np.eye(3)[y[J]]
    of_w, of_b = e.updates
    np.testing.assert_allclose(of_w.gradient, X[J].T @ (p - own), rtol=1e-12)
    np.testing.assert_allclose(of_b.gradient, (p - own).sum(axis=0), rtol=1e-12)
    np.testing.assert_allclose(of_w.new, w - 0.5 / 4 * X[J].T @ (p - own), rtol=1e-12)
    losses = -np.log(p[np.arange(4), y[J]] if C > 1 else np.abs(p - 1 + own)[:, 0])
    assert e.loss_before == pytest.approx(losses.mean(), rel=1e-12)
    np.testing.assert_allclose(np.ravel(e.nodes[-1].values), losses, rtol=1e-12)
    np.testing.assert_allclose(e.check.residuals, p - own, rtol=1e-12)
    assert e.check.disagreement < 1e-8
    assert len(e.parameter_names) == e.check.backward.size == 3 * C


@pytest.mark.parametrize("classes", [2, 3])
def test_a_sweep_takes_the_same_steps(classes: int) -> None:
    X, y = examples(classes)
    e = explain(X, y, lr=0.5, batch_size=4, seed=1, step=6)
    result = learnrate.sweep(X, y, lrs=[0.5], batch_size=4, seed=1, epochs=2)
    np.testing.assert_allclose(np.squeeze(e.updates[0].new), result.W[0, 0], rtol=1e-9)
    np.testing.assert_allclose(np.squeeze(e.updates[1].new), result.b[0, 0], rtol=1e-9)


def test_gradients_are_what_their_rules_say() -> None:
    e = explain(*examples(3), batch_size=5)
    at = {node.name: node for node in e.nodes}
    assert [node.name for node in e.visited] == ["loss", "log ŷ[y]", "log ŷ", "o", "Xw", "b", "w"]
    p = np.exp(at["log ŷ"].values)
    np.testing.assert_allclose(p, softmax(at["o"].values), rtol=1e-12)
    g = at["log ŷ"].gradient
    assert g is not None
    np.testing.assert_array_equal(g.sum(axis=1), -1)
    assert at["o"].rule == "grad(log ŷ) − exp(log ŷ) × Σ grad(log ŷ)"
    assert at["o"].gradient is not None
    np.testing.assert_allclose(at["o"].gradient, g - p * g.sum(axis=1, keepdims=True), rtol=1e-12)
    two = {node.name: node for node in explain(*examples(2)).nodes}
    s = two["s"].values
    assert set(s.ravel()) <= {-1.0, 1.0}
    np.testing.assert_allclose(
        two["loss"].values, np.log1p(np.exp(s * two["z"].values)), rtol=1e-12
    )
    assert two["sz"].rule == "grad(loss) × sigmoid(sz)"


@pytest.fixture(scope="module")
def three() -> Explanation:
    return explain(*examples(3), batch_size=5)


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("en", ["cross-entropy", "0 ash, 1 birch, 2 cedar", "nd.log_softmax", "b[birch]"]),
        ("zh", ["交叉熵", "0 ash, 1 birch, 2 cedar", "nd.log_softmax", "b[birch]"]),
    ],
)
def test_it_is_told_in_both_languages(three: Explanation, lang: str, words: list[str]) -> None:
    text = render_text(three, lang=lang, width=140)
    for word in words:
        assert word in text
    assert "ŷ − y)²" not in text
    above = {"en": "the features above", "zh": "上面的特征"}[lang]
    assert text.count(above) == 1  # X alone: outputs are written out


@pytest.mark.parametrize("suffix", ["html", "svg", "mmd", "json"])
@pytest.mark.parametrize("classes", [2, 3])
def test_it_is_saved(suffix: str, classes: int, tmp_path: Any) -> None:
    saved = explain(*examples(classes)).save(tmp_path / f"step.{suffix}")
    text = saved.read_text(encoding="utf-8")
    assert ("softmax" if classes == 3 else "sz") in text


def test_whole_numbers_are_classes_where_the_loss_says_so() -> None:
    X, _ = examples(3)
    y = np.arange(len(X)) % 3
    assert explain(X, y.astype(float)).loss == "squared"
    assert explain(X, y, loss="softmax").classes == ("0", "1", "2")


@pytest.mark.parametrize("loss", ["poisson", "cross-entropy"])
def test_other_losses_are_refused(loss: str) -> None:
    with pytest.raises(OptionError, match="squared, logistic, softmax"):
        explain("note", loss=loss)
