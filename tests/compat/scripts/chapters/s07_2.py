"""Section 7.2: gradient descent in one dimension and two, with noise."""

import math

import d2lzh as d2l
import numpy as np
from mxnet import nd

eta = 0.1


def f_2d(x1, x2):
    return x1**2 + 2 * x2**2


def gd_2d(x1, x2, s1, s2):
    return (x1 - eta * 2 * x1, x2 - eta * 4 * x2, 0, 0)


def sgd_2d(x1, x2, s1, s2):
    return (
        x1 - eta * (2 * x1 + np.random.normal(0.1)),
        x2 - eta * (4 * x2 + np.random.normal(0.1)),
        0,
        0,
    )


x, path = 10, [10]
for _ in range(10):
    x -= 0.2 * 2 * x
    path.append(x)
print("epoch 10, x:", x)
line = np.arange(-10, 10, 0.1)
d2l.set_figsize()
d2l.plt.plot(line, [v * v for v in line])
d2l.plt.plot(path, [v * v for v in path], "-o")
d2l.show_trace_2d(f_2d, d2l.train_2d(gd_2d))
np.random.seed(0)
d2l.show_trace_2d(f_2d, d2l.train_2d(sgd_2d))
print(math.pi, nd.ones(1))
