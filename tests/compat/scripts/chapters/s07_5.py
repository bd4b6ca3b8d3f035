"""Section 7.5: AdaGrad."""

import math

import d2lzh as d2l
from mxnet import nd


def adagrad_2d(x1, x2, s1, s2):
    g1, g2, eps = 0.2 * x1, 4 * x2, 1e-6
    s1 += g1**2
    s2 += g2**2
    x1 -= 0.4 / math.sqrt(s1 + eps) * g1
    x2 -= 0.4 / math.sqrt(s2 + eps) * g2
    return x1, x2, s1, s2


d2l.show_trace_2d(lambda x1, x2: 0.1 * x1**2 + 2 * x2**2, d2l.train_2d(adagrad_2d))
features, labels = d2l.get_data_ch7()
states = (nd.zeros((features.shape[1], 1)), nd.zeros(1))


def adagrad(params, states, hyperparams):
    eps = 1e-6
    for p, s in zip(params, states):
        s[:] += p.grad.square()
        p[:] -= hyperparams["lr"] * p.grad / (s + eps).sqrt()


d2l.train_ch7(adagrad, states, {"lr": 0.1}, features, labels)
d2l.train_gluon_ch7("adagrad", {"learning_rate": 0.1}, features, labels)
