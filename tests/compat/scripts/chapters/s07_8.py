"""Section 7.8: Adam."""

import d2lzh as d2l
from mxnet import nd

features, labels = d2l.get_data_ch7()
v_w, v_b = nd.zeros((features.shape[1], 1)), nd.zeros(1)
s_w, s_b = nd.zeros((features.shape[1], 1)), nd.zeros(1)


def adam(params, states, hyperparams):
    beta1, beta2, eps = 0.9, 0.999, 1e-6
    for p, (v, s) in zip(params, states):
        v[:] = beta1 * v + (1 - beta1) * p.grad
        s[:] = beta2 * s + (1 - beta2) * p.grad.square()
        v_hat = v / (1 - beta1 ** hyperparams["t"])
        s_hat = s / (1 - beta2 ** hyperparams["t"])
        p[:] -= hyperparams["lr"] * v_hat / (s_hat.sqrt() + eps)
    hyperparams["t"] += 1


d2l.train_ch7(adam, ((v_w, s_w), (v_b, s_b)), {"lr": 0.01, "t": 1}, features, labels)
d2l.train_gluon_ch7("adam", {"learning_rate": 0.01}, features, labels)
