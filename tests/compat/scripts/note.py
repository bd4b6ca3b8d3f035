# ruff: noqa
# mypy: ignore-errors
# A study note in the manner of "Linear regression from scratch", with the calls that such notes make.
from IPython import display
from matplotlib import pyplot as plt
from mxnet import autograd, nd
import numpy as np
import random

num_inputs = 2
num_examples = 1000
true_w = [2, -3.4]
true_b = 4.2
features = nd.random.normal(scale=1, shape=(num_examples, num_inputs))
labels = true_w[0] * features[:, 0] + true_w[1] * features[:, 1] + true_b
labels += nd.random.normal(scale=0.01, shape=labels.shape)


def use_svg_display():
    display.set_matplotlib_formats("svg")


def set_figsize(figsize=(3.5, 2.5)):
    use_svg_display()
    plt.rcParams["figure.figsize"] = figsize


set_figsize((6, 4))


def batches(batch_size, features, labels):
    indices = list(range(len(features)))
    random.shuffle(indices)
    for i in range(0, len(features), batch_size):
        j = nd.array(indices[i : min(i + batch_size, len(features))])
        yield features.take(j), labels.take(j)


def net(X, w, b):
    return nd.dot(X, w) + b


def loss(y_hat, y):
    return (y_hat - y.reshape(y_hat.shape)) ** 2 / 2


def sgd(params, lr, batch_size):
    for param in params:
        param[:] = param - lr * param.grad / batch_size


batch_size = 10
num_epochs = 3
for lr in np.arange(0.01, 0.05, 0.01):
    w = nd.random.normal(scale=0.01, shape=(num_inputs, 1))
    b = nd.zeros(shape=(1,))
    w.attach_grad()
    b.attach_grad()
    losses = []
    for epoch in range(num_epochs):
        for X, y in batches(batch_size, features, labels):
            with autograd.record():
                l = loss(net(X, w, b), y)
            l.backward()
            sgd([w, b], lr, batch_size)
        train_l = loss(net(features, w, b), labels)
        losses.append(train_l.mean().asnumpy())
        print("lr %.2f, epoch %d, loss %f" % (lr, epoch + 1, train_l.mean().asnumpy()))
    plt.plot(range(1, num_epochs + 1), losses, label="lr=%.2f" % lr)

plt.xlabel("epoch")
plt.ylabel("loss")
plt.legend(loc="upper right")
plt.show()
