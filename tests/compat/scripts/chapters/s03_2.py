%matplotlib inline
"""Section 3.2: linear regression from scratch, as exported from a notebook."""

import random

from IPython import display
from matplotlib import pyplot as plt
from mxnet import autograd, nd

n, true_w, true_b = 500, [2, -3.4], 4.2
features = nd.random.normal(scale=1, shape=(n, 2))
labels = true_w[0] * features[:, 0] + true_w[1] * features[:, 1] + true_b
labels += nd.random.normal(scale=0.01, shape=labels.shape)
display.set_matplotlib_formats("svg")
plt.rcParams["figure.figsize"] = (3.5, 2.5)
plt.scatter(features[:, 1].asnumpy(), labels.asnumpy(), 1)


def batches(size):
    order = list(range(n))
    random.shuffle(order)
    for i in range(0, n, size):
        j = nd.array(order[i : min(i + size, n)])
        yield features.take(j), labels.take(j)


w = nd.random.normal(scale=0.01, shape=(2, 1))
b = nd.zeros(shape=(1,))
w.attach_grad()
b.attach_grad()
for epoch in range(3):
    for X, y in batches(10):
        with autograd.record():
            l = (nd.dot(X, w) + b - y.reshape((-1, 1))) ** 2 / 2
        l.backward()
        for param in [w, b]:
            param[:] = param - 0.03 * param.grad / 10
    loss = (nd.dot(features, w) + b - labels.reshape((-1, 1))) ** 2 / 2
    print("epoch %d, loss %f" % (epoch + 1, loss.mean().asnumpy()))
assert loss.mean().asscalar() < 0.1
