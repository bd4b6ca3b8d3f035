"""Every note runs, in both languages; its numbers are those of plain NumPy."""

from __future__ import annotations

import re
import runpy
import sys
from collections.abc import Iterator
from functools import cache
from html import unescape
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import learnrate
from learnrate import autograd, nd, scratch
from learnrate.book.note.launch import NOTES, notebook
from learnrate.book.note.momentum.bowl import Bowl, best_rates, edges, factor, limit
from learnrate.book.note.perceptron.model import perceptron, start, trained
from learnrate.theory.closed_form import full_batch_limit


@pytest.fixture(scope="module")
def run() -> Iterator[Any]:
    """Outputs and names of a note that was run as a script, in a language."""
    before = sys.argv

    @cache
    def ran(name: str, lang: str) -> tuple[str, Any]:
        sys.argv = ["note", "--lang", lang]
        outputs, names = runpy.run_path(str(notebook(name)), run_name="note")["app"].run()
        return "\n".join(getattr(one, "text", "") for one in outputs), names

    yield ran
    sys.argv = before


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", NOTES)
def test_it_runs_and_every_text_is_filled(run: Any, name: str, lang: str) -> None:
    page, names = run(name, lang)
    assert names["t"].lang == lang
    without_explorer = re.sub(r"<iframe.*?</iframe>", "", unescape(page), flags=re.DOTALL)
    assert not re.findall(r"\[\[\w+\]\]", without_explorer)
    drawings = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(drawings) >= 3
    for drawing in drawings:
        assert ElementTree.fromstring(drawing).get("aria-label")
    legends = [
        re.findall(r'text-anchor="end" fill="var\(--lr-ink\)" stroke.*?>(.*?)<', d)
        for d in drawings
    ]
    assert all(len(set(words)) == len(words) for words in legends)  # no rate twice in a legend
    if lang == "en":
        assert not re.findall(r"[\u4e00-\u9fff]", without_explorer.replace("中文", ""))


def test_momentum_and_adam_walk_as_written_out(run: Any) -> None:
    names = run("momentum", "en")[1]
    bowl, eta, mu = names["bowl"], names["rate"].value, names["mu"].value
    theta = np.array([-9.0, 3.0])
    v = np.zeros(2)
    for step in range(1, names["STEPS"] + 1):
        v = mu * v + bowl.H @ theta
        theta = theta - eta * v
        np.testing.assert_allclose(names["heavy"].points[step], theta, rtol=1e-12)
    theta, m, v = np.array([-9.0, 3.0]), np.zeros(2), np.zeros(2)
    for step in range(1, names["STEPS"] + 1):
        g = bowl.H @ theta
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        theta = theta - names["adam_rate"].value * (m / (1 - 0.9**step)) / (
            np.sqrt(v / (1 - 0.999**step)) + 1e-8
        )
        np.testing.assert_allclose(names["adaptive"].points[step], theta, rtol=1e-9)


@pytest.mark.parametrize(("lr", "mu"), [(0.5, 0.0), (1.9, 0.0), (0.3, 0.8), (2.9, 0.5), (3.2, 0.5)])
def test_what_momentum_will_do_is_known_beforehand(lr: float, mu: float) -> None:
    bowl = Bowl(kappa=10.0, angle=30.0)
    path = bowl.momentum(lr, mu, 400)
    rho = factor(lr, mu, bowl.eigenvalues)
    away = np.linalg.norm(path.points, axis=1)
    assert (away[400] / away[200]) ** (1 / 200) == pytest.approx(rho, rel=5e-3)
    assert (rho > 1) == (lr > limit(mu, 1.0))
    spectrum = learnrate.theory.analyse(np.eye(2) - 0.5, np.ones(2), 2).spectrum
    of_theory = full_batch_limit(spectrum, momentum=mu).value
    assert limit(mu, spectrum.largest) == pytest.approx(of_theory)
    plain, eta, best = best_rates(10.0)
    assert factor(plain, 0.0, bowl.eigenvalues) == pytest.approx(9 / 11)
    assert factor(eta, best, bowl.eigenvalues) == pytest.approx(best**0.5, abs=1e-6)
    low, high = edges(mu, bowl.eigenvalues, 100, 0.01)
    assert low < high < limit(mu, 1.0)


def test_softmax_has_the_error_as_its_gradient(run: Any) -> None:
    names = run("softmax", "en")[1]
    p, gradient, loss, squared = names["model"].scores_loss([2.0, 0.5, -1.0], 1)
    e = np.exp([2.0, 0.5, -1.0])
    np.testing.assert_allclose(p, e / e.sum(), rtol=1e-12)
    np.testing.assert_allclose(gradient, p - [0, 1, 0], rtol=1e-12)
    assert loss == pytest.approx(-np.log(p[1]), rel=1e-6)
    by_hand = (p - [0, 1, 0]) @ (p * (np.eye(3)[1] - p[1]))
    assert squared == pytest.approx(by_hand, rel=1e-6)
    step = names["step"]
    weights = next(node for node in step.nodes if node.name == "w")
    o = step.X @ weights.values
    p = np.exp(o) / np.exp(o).sum(axis=1, keepdims=True)
    error = p - np.eye(3)[step.y.astype(int)]
    np.testing.assert_allclose(step.check.residuals, error, rtol=1e-9)
    np.testing.assert_allclose(weights.gradient, step.X.T @ error, rtol=1e-9)


def test_the_swept_rates_of_softmax_are_trained_as_written_out(run: Any) -> None:
    names = run("softmax", "en")[1]
    swept, X, y = names["swept"], names["X"], names["y"]
    lane = names["RATES"].index(names["rate"].value)
    W, b = learnrate.data.initial_weights(2, 0, 3), np.zeros(3)
    for epoch in range(names["EPOCHS"]):
        order = learnrate.data.epoch_order(len(y), 10, seed=0, epoch=epoch)
        for i in range(0, len(y), 10):
            J = order[i : i + 10]
            e = np.exp(X[J] @ W + b)
            error = e / e.sum(axis=1, keepdims=True) - np.eye(3)[y[J]]
            W, b = (
                W - swept.lrs[lane] / 10 * X[J].T @ error,
                b - swept.lrs[lane] / 10 * error.sum(0),
            )
    np.testing.assert_allclose(swept.W[0, lane], W, rtol=1e-9)
    o = X @ W + b
    mean = np.mean(np.log(np.exp(o).sum(axis=1)) - o[np.arange(len(y)), y])
    assert swept.losses[0, lane, -1] == pytest.approx(mean, rel=1e-9)


def test_perceptrons_learn_as_the_notes_own_code_does(run: Any) -> None:
    names = run("perceptron", "en")[1]
    training, X, y = names["training"], names["X"], names["y"]
    lane, steps = names["RATES"].index(names["rate"].value), 50
    net = start(8)
    params = [
        nd.array(a, dtype="float64") for a in (net.W1[:, 0], net.b1[0], net.W2[0, :, None], net.b2)
    ]
    for param in params:
        param.attach_grad()
    features, labels = nd.array(X, dtype="float64"), nd.array(y, dtype="float64")
    for step in range(steps):
        with autograd.record():
            loss = scratch.squared_loss(perceptron(features, *params), labels)
        assert training.losses[lane, step] == pytest.approx(float(loss.mean()), rel=1e-9)
        loss.backward()
        scratch.sgd(params, training.lrs[lane], len(y))
    after = trained(net, X, y, [training.lrs[lane]], steps).nets[-1]
    np.testing.assert_allclose(after.W1[:, 0], params[0].asnumpy(), rtol=1e-9)


def test_sharpness_is_the_largest_eigenvalue_of_the_second_derivatives() -> None:
    X, y = np.linspace(-2, 2, 9)[:, None], np.linspace(0, 1, 9)
    net = start(3, seed=1)
    h, rows = 1e-5, []
    shifts = h * np.eye(10)
    for i in range(10):
        up, down = (net._shifted(sign * shifts[i : i + 1]) for sign in (1, -1))
        rows.append((up.gradient(X, y)[1]._rows() - down.gradient(X, y)[1]._rows())[0] / (2 * h))
    numeric = np.linalg.eigvalsh(np.array(rows))[-1]
    assert net.sharpness(X, y) == pytest.approx(numeric, rel=1e-4)
    rng = np.random.default_rng(0)
    for _ in range(20):  # no direction curves more
        u = rng.normal(size=(1, 10))
        u *= 1e-3 / np.linalg.norm(u)
        bent = sum(net._shifted(s * u).loss(X, y)[0] for s in (1, -1)) - 2 * net.loss(X, y)[0]
        assert bent / 1e-6 <= numeric * (1 + 1e-3)
