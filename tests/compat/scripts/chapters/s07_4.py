"""Section 7.4: momentum."""

import d2lzh as d2l
from mxnet import nd

eta, gamma = 0.4, 0.5


def f_2d(x1, x2):
    return 0.1 * x1**2 + 2 * x2**2


def momentum_2d(x1, x2, v1, v2):
    v1 = gamma * v1 + eta * 0.2 * x1
    v2 = gamma * v2 + eta * 4 * x2
    return x1 - v1, x2 - v2, v1, v2


d2l.show_trace_2d(f_2d, d2l.train_2d(momentum_2d))
features, labels = d2l.get_data_ch7()


def init_momentum_states():
    v_w = nd.zeros((features.shape[1], 1))
    v_b = nd.zeros(1)
    return (v_w, v_b)


def sgd_momentum(params, states, hyperparams):
    for p, v in zip(params, states):
        v[:] = hyperparams["momentum"] * v + hyperparams["lr"] * p.grad
        p[:] -= v


d2l.train_ch7(sgd_momentum, init_momentum_states(), {"lr": 0.02, "momentum": 0.5}, features, labels)
d2l.train_gluon_ch7("sgd", {"learning_rate": 0.004, "momentum": 0.9}, features, labels)
d2l.train_gluon_ch7("nag", {"learning_rate": 0.004, "momentum": 0.9}, features, labels)
