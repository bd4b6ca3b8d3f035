"""What MXNet 1.9.1 and learnrate are both asked: optimisers, losses, initialisers, layers.

This file runs in both worlds, so it imports neither; `mx` is one or the other.
"""

from __future__ import annotations

import tempfile
from typing import Any

import numpy as np

# Optimiser, its arguments. Each is applied for STEPS steps to the same gradients, with |B| = 4.
OPTIMISERS: list[tuple[str, dict[str, Any]]] = [
    ("sgd", {}),
    ("sgd", {"learning_rate": 0.3}),
    ("sgd", {"learning_rate": 0.3, "momentum": 0.9}),
    ("sgd", {"learning_rate": 0.3, "wd": 0.1}),
    ("sgd", {"learning_rate": 0.3, "momentum": 0.5, "wd": 0.1, "clip_gradient": 0.2}),
    ("adagrad", {}),
    ("adagrad", {"learning_rate": 0.4}),
    ("adagrad", {"learning_rate": 0.4, "wd": 0.1, "eps": 0.01}),
    ("adagrad", {"learning_rate": 0.4, "clip_gradient": 0.2}),
    ("rmsprop", {}),
    ("rmsprop", {"learning_rate": 0.1, "gamma1": 0.5}),
    ("rmsprop", {"learning_rate": 0.1, "gamma1": 0.9, "wd": 0.1, "epsilon": 0.01}),
    ("rmsprop", {"learning_rate": 0.1, "wd": 0.5, "clip_gradient": 0.2}),
    ("adadelta", {}),
    ("adadelta", {"rho": 0.5, "wd": 0.01, "epsilon": 0.01}),
    ("adadelta", {"learning_rate": 7, "clip_gradient": 0.2}),
    ("adam", {}),
    ("adam", {"learning_rate": 0.1}),
    ("adam", {"learning_rate": 0.1, "beta1": 0.5, "beta2": 0.7, "wd": 0.1, "epsilon": 0.1}),
    ("adam", {"learning_rate": 0.1, "wd": 0.5, "clip_gradient": 0.2}),
    ("nag", {"learning_rate": 0.3}),
    ("nag", {"learning_rate": 0.3, "momentum": 0.9}),
    ("nag", {"learning_rate": 0.3, "wd": 0.1}),
    ("nag", {"learning_rate": 0.3, "momentum": 0.5, "clip_gradient": 0.2}),
]
STEPS = 12

# What is written to a file, by `nd.save` or by a network.
FILES = {
    "array": "nd.save(path, p)",
    "list": "nd.save(path, [p, c.astype('int32')])",
    "dict": "nd.save(path, {'p': p, 'wide': p.astype('float64'), 'half': p.astype('float16'), "
    "'bytes': c.astype('uint8'), 'signed': c.astype('int8'), 'long': c.astype('int64')})",
    "network": "net(nn.Dense(2, in_units=3)).save_parameters(path)",
}

# Snippets: the value of each is the answer. `p` and `c` are predictions and classes, `net` the function below.
SNIPPETS = [
    "gluon.loss.L2Loss()(p, 2 * p + 1)",
    "gluon.loss.L2Loss()(p[:, 0:1], p[:, 1])",
    "gluon.loss.L2Loss(weight=3.)(p, 2 * p + 1)",
    "gluon.loss.L2Loss(weight=None)(p, 2 * p + 1)",
    "gluon.loss.L2Loss()(p, 2 * p + 1, c.reshape((4, 1)))",
    "gluon.loss.L2Loss(batch_axis=1)(p, 2 * p + 1)",
    "gluon.loss.L2Loss()(p, c)",
    "gluon.loss.SoftmaxCrossEntropyLoss()(p, c)",
    "gluon.loss.SoftmaxCrossEntropyLoss()(100 * p, c)",
    "gluon.loss.SoftmaxCrossEntropyLoss()(p, c.astype('int32'))",
    "gluon.loss.SoftmaxCrossEntropyLoss(sparse_label=False)(p, nd.softmax(-p))",
    "gluon.loss.SoftmaxCrossEntropyLoss(from_logits=True)(nd.log_softmax(p), c)",
    "gluon.loss.SoftmaxCrossEntropyLoss(weight=2.)(p, c, c.reshape((4, 1)))",
    "gluon.loss.SoftmaxCrossEntropyLoss(axis=0)(p.T, c)",
    "gluon.loss.SoftmaxCELoss()(p.reshape((2, 2, 3)), c.reshape((2, 2)))",
    "gluon.loss.L1Loss()(p, 2 * p + 1)",
    "gluon.loss.L1Loss(weight=3.)(p, 2 * p + 1, c.reshape((4, 1)))",
    "gluon.loss.HuberLoss()(p, 2 * p + 1)",
    "gluon.loss.HuberLoss(rho=0.5, weight=2.)(p, 2 * p + 1, c.reshape((4, 1)))",
    "gluon.loss.SigmoidBCELoss()(p, p > 0.5)",
    "gluon.loss.SigmoidBCELoss()(100 * p, p > 0.5)",
    "gluon.loss.SigmoidBCELoss()(p[:, 0:1], c > 0.5)",
    "gluon.loss.SigmoidBCELoss(from_sigmoid=True)(nd.sigmoid(p), p > 0.5)",
    "gluon.loss.SigmoidBinaryCrossEntropyLoss(weight=2.)(p, p > 0.5, c.reshape((4, 1)))",
    "gluon.loss.SigmoidBCELoss()(p, p > 0.5, None, nd.array([1, 2, 3]))",
    "backward(gluon.loss.L1Loss(), p, 2 * p)",
    "backward(gluon.loss.HuberLoss(), p, 2 * p)",
    "backward(gluon.loss.SigmoidBCELoss(), p, p > 0.5)",
    "repr(gluon.loss.HuberLoss())",
    "stale(2)",
    "stale(2, ignore_stale_grad=True)",
    "unused()",
    "unused(ignore_stale_grad=True)",
    "constant(nd.ones((2, 2)))",
    "constant([[1, 2], [3, 4]])",
    "backward(gluon.loss.SoftmaxCrossEntropyLoss(), p, c)",
    "backward(gluon.loss.L2Loss(), p, 2 * p)",
    "repr(gluon.loss.L2Loss())",
    "repr(gluon.loss.SoftmaxCrossEntropyLoss())",
    "net(nn.Dense(2))(p)",
    "net(nn.Dense(2, activation='relu'))(p - 1)",
    "net(nn.Dense(2, use_bias=False))(p)",
    "net(nn.Dense(2, activation='sigmoid', in_units=3))(p)",
    "net(nn.Dense(2, bias_initializer='ones'))(p)",
    "net(nn.Dense(2, weight_initializer=mx.init.Constant(3)))(p)",
    "net(nn.Dense(2, weight_initializer='ones', bias_initializer='ones'))(p)",
    "net(nn.Dense(2), nn.Dense(1))(p)",
    "net(nn.Flatten(), nn.Dense(2))(p.reshape((2, 2, 3)))",
    "net(nn.Dense(2))(p.reshape((2, 2, 3)))",
    "net(nn.Dense(2, flatten=False))(p.reshape((2, 2, 3)))",
    "net(nn.Dense(4), nn.Activation('tanh'))(p)",
    "net(nn.Dropout(0.5), nn.Dense(2))(p)",
    "net(nn.Dense(2))[0].weight.shape",
    "net(nn.Dense(2), nn.Dense(3))[1:](p)",
    "net(nn.Dense(4))(p)[0:1]",
    "len(net(nn.Dense(4), nn.Flatten()))",
    "net(nn.Dense(4, in_units=3))[0].weight.data()",
    "net(nn.Dense(4, in_units=3))[0].weight.grad()",
    "net(nn.Dense(4))[0].weight.data()",
    "nn.Dense(4, in_units=3).weight.data()",
    "repr(net(nn.Dense(4, in_units=3), nn.Dropout(0.5), nn.Flatten(), nn.Activation('relu')))",
    "repr(nn.Dense(4))",
    "repr(nn.Dense(4, activation='relu'))",
    "net(nn.Dense(4, in_units=3))(c)",
    "names(net(nn.Dense(4), nn.Dense(2)).collect_params())",
    "names(net(nn.Dense(4), nn.Dense(2)).collect_params('.*weight'))",
    "gluon.Trainer(net(nn.Dense(2)).collect_params(), 'sgd', {'learning_rate': 0.5}).learning_rate",
    "gluon.Trainer(net(nn.Dense(2)).collect_params(), 'sgd').learning_rate",
    "gluon.Trainer(net(nn.Dense(2)).collect_params(), 'adam').learning_rate",
    "gluon.Trainer(net(nn.Dense(2)).collect_params(), 'sdg')",
    "[b for b in gluon.data.DataLoader(gluon.data.ArrayDataset(p, c), 3)]",
    "[b for b in gluon.data.DataLoader(gluon.data.ArrayDataset(p, c), 3, last_batch='discard')]",
    "[b for b in gluon.data.DataLoader(gluon.data.ArrayDataset(p), 3)]",
    "[b for b in gluon.data.DataLoader(gluon.data.ArrayDataset(p.asnumpy(), [1, 2, 3, 4]), 3)]",
    "[b for b in gluon.data.DataLoader(gluon.data.ArrayDataset(np.arange(4.), np.arange(4)), 3)]",
    "[b for b in gluon.data.DataLoader([5, 6, 7], 2)]",
    "[b for b in gluon.data.DataLoader(p, 2)]",
    "list(map(len, [gluon.data.DataLoader(p, 3), gluon.data.DataLoader(p, 3, last_batch='discard')]))",
    "gluon.data.ArrayDataset(p, c)[1]",
    "len(gluon.data.ArrayDataset(p, c))",
    "gluon.data.ArrayDataset(p, c[0:2])",
    "gluon.data.DataLoader(p)",
]

# Initialisers, the shape they fill: size, range, mean and deviation are compared.
INITIALISERS = [
    ("init.Normal()", (200, 300)),
    ("init.Normal(sigma=2)", (200, 300)),
    ("init.Uniform()", (200, 300)),
    ("init.Uniform(3)", (200, 300)),
    ("init.Xavier()", (200, 300)),
    ("init.Xavier(rnd_type='gaussian', factor_type='in', magnitude=2)", (200, 300)),
    ("init.Xavier(factor_type='out', magnitude=1)", (200, 300)),
    ("init.Xavier()", (20, 30, 5, 5)),
    ("init.Constant(4)", (3, 2)),
    ("init.Zero()", (3, 2)),
    ("init.One()", (3, 2)),
]


def trajectory(mx: Any, name: str, arguments: dict[str, Any]) -> list[list[float]]:
    """Weights after each step of a trainer whose gradients are given."""
    weight = mx.gluon.Parameter(
        "weight", shape=(3,), init=mx.init.Constant(mx.nd.array([1, -2, 3]))
    )
    weight.initialize()
    trainer = mx.gluon.Trainer([weight], name, dict(arguments))
    path = []
    for t in range(STEPS):
        direction = mx.nd.array([np.cos(t), 4 * np.sin(2 * t) + 2, 0.01 * (t % 3)])
        with mx.autograd.record():
            loss = (weight.data() * direction).sum() + (weight.data() ** 2).sum() / 2
        loss.backward()
        trainer.step(4)
        path.append([float(value) for value in weight.data().asnumpy()])
    return path


def namespace(mx: Any) -> dict[str, Any]:
    """What a snippet can use."""
    nn = mx.gluon.nn

    def net(*layers: Any) -> Any:
        """A network whose weights are 0.5."""
        made = nn.Sequential(prefix="net_")
        made.add(*layers)
        made.initialize(mx.init.Constant(0.5))
        return made

    def backward(loss: Any, pred: Any, label: Any) -> Any:
        """The gradient of a loss."""
        pred.attach_grad()
        with mx.autograd.record():
            value = loss(pred, label)
        value.backward()
        return pred.grad

    def regression() -> tuple[Any, Any, Any]:
        """A network of two layers, its trainer, and a loss that was differentiated once."""
        made = net(nn.Dense(2, in_units=3), nn.Dense(1, in_units=2))
        trainer = mx.gluon.Trainer(made.collect_params(), "sgd", {"learning_rate": 0.5})
        with mx.autograd.record():
            loss = made(mx.nd.ones((1, 3)))
        loss.backward()
        return made, trainer, loss

    def stale(steps: int, **arguments: Any) -> Any:
        """The bias after some steps for one backward pass."""
        made, trainer, _ = regression()
        for _ in range(steps):
            trainer.step(1, **arguments)
        return made[1].bias.data()

    def unused(**arguments: Any) -> Any:
        """Both biases after a step of which only the first layer took part."""
        made, trainer, _ = regression()
        trainer.step(1)
        with mx.autograd.record():
            loss = made[0](mx.nd.ones((1, 3)))
        loss.backward()
        trainer.step(1, **arguments)
        return [layer.bias.data() for layer in made]

    def constant(value: Any) -> Any:
        """A layer with an array that is not learned, in training."""

        class Fixed(nn.Block):  # type: ignore[name-defined, misc]
            def __init__(self, **kwargs: Any) -> None:
                super().__init__(**kwargs)
                self.fixed = self.params.get_constant("fixed", value)
                self.dense = nn.Dense(2, in_units=2)

            def forward(self, x: Any) -> Any:
                return mx.nd.dot(self.dense(x), self.fixed.data())

        made = Fixed(prefix="fixed_")
        made.initialize(mx.init.Constant(0.5))
        trainer = mx.gluon.Trainer(made.collect_params(), "sgd", {"learning_rate": 0.5})
        with mx.autograd.record():
            out = made(mx.nd.ones((1, 2)))
        out.backward()
        trainer.step(1)
        return [out, made.fixed.data(), made.dense.bias.data(), made.fixed.grad_req]

    def names(params: Any) -> list[str]:
        """Names without the numbers, which depend on what was made before."""
        return [name.rstrip("_").partition("_")[2] for name in params]

    return {
        "mx": mx,
        "nd": mx.nd,
        "np": np,
        "gluon": mx.gluon,
        "nn": nn,
        "init": mx.init,
        "net": net,
        "backward": backward,
        "names": names,
        "stale": stale,
        "unused": unused,
        "constant": constant,
        "p": mx.nd.array([[0.5, 1, -1], [2, 0, 1], [-3, 0.25, 1.5], [1, 1, 1]]),
        "c": mx.nd.array([0, 2, 1, 1]),
    }


def answer(mx: Any, snippet: str, plain: Any) -> Any:
    """What a snippet gives, as JSON; ``plain`` writes a value down."""
    try:
        return plain(eval(snippet, namespace(mx)), mx.nd)
    except Exception as error:
        return {"raises": type(error).__name__}


def file(mx: Any, kind: str) -> str:
    """The bytes of a file, in hexadecimal."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/file"
        eval(FILES[kind], {**namespace(mx), "path": path})
        with open(path, "rb") as written:
            return written.read().hex()


def statistics(mx: Any, initialiser: str, shape: tuple[int, ...]) -> dict[str, float]:
    """Of the weights that an initialiser makes."""
    weight = mx.gluon.Parameter("weight", shape=shape, init=eval(initialiser, namespace(mx)))
    weight.initialize()
    values = weight.data().asnumpy()
    found = {"min": values.min(), "max": values.max(), "mean": values.mean(), "std": values.std()}
    return {name: float(value) for name, value in found.items()}
