"""Scripts whose ``backward()`` is opened, and what opens them as `learnrate explain` does."""

from __future__ import annotations

from pathlib import Path

from learnrate.book.steps.explanation import ScriptExplanation
from learnrate.book.steps.opening import Opening
from learnrate.compat.mxnet.optimizer import Step, watch_steps
from learnrate.compat.script import run_script

__all__ = ["MOMENTUM", "PERCEPTRON", "SOFTMAX", "opened"]

SOFTMAX = """
from mxnet import autograd, nd

X = nd.random.normal(shape=(5, 1, 3))
y = nd.array([0, 3, 1, 1, 2])
W, b = nd.random.normal(scale=0.1, shape=(3, 4)), nd.zeros(4)
W.attach_grad()
b.attach_grad()


def net(X):
    scores = nd.dot(X.reshape((-1, 3)), W) + b
    X_exp = scores.exp()
    return X_exp / X_exp.sum(axis=1, keepdims=True)


for step in range(3):
    with autograd.record():
        y_hat = net(X)
        l = -nd.pick(y_hat, y).log()
    l.backward()
    for param in [W, b]:
        param[:] = param - 0.5 * param.grad / 5
"""

PERCEPTRON = """
from mxnet import autograd, gluon, init, nd
from mxnet.gluon import loss as gloss, nn

features = nd.random.normal(shape=(6, 3))
labels = nd.array([0, 1, 1, 0, 2, 2])
net = nn.Sequential()
net.add(nn.Dense(4, activation="relu"), nn.Dropout(0.5), nn.Dense(3))
net.initialize(init.Normal(sigma=0.5))
trainer = gluon.Trainer(net.collect_params(), "adam", {"learning_rate": 0.1})
loss = gloss.SoftmaxCrossEntropyLoss()
for epoch in range(4):
    with autograd.record():
        l = loss(net(features), labels).mean()
    l.backward()
    trainer.step(1)
    print("epoch", epoch, l.asscalar())
"""

MOMENTUM = """
from mxnet import autograd, gluon, nd
from mxnet.gluon import nn

X = nd.array([[1.0, 2.0], [3.0, -1.0]])
net = nn.Dense(1, use_bias=False)
net.initialize()
trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.1, "momentum": 0.9})
for step in range(5):
    with autograd.record():
        l = (net(X) ** 2).sum()
    l.backward()
    trainer.step(2)
"""


def opened(text: str, number: int = 1) -> ScriptExplanation:
    """The ``number``-th ``backward()`` of a script with this text, in the current folder."""
    Path("script.py").write_text(text, encoding="utf-8")
    opening = Opening(number, inner=("learnrate.compat.mxnet",))

    def seen(step: Step) -> None:
        opening.step(step.weight, step.old, step.new, step.formulas, step.constants, step.kept)

    with opening.watching(), watch_steps(seen):
        assert run_script(Path("script.py"), save_pictures=False) == 0
    assert opening.is_open
    return opening.explanation("script.py")
