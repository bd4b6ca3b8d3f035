"""Section 7.6: RMSProp."""

import d2lzh as d2l
from mxnet import nd

features, labels = d2l.get_data_ch7()
states = (nd.zeros((features.shape[1], 1)), nd.zeros(1))


def rmsprop(params, states, hyperparams):
    gamma, eps = hyperparams["gamma"], 1e-6
    for p, s in zip(params, states):
        s[:] = gamma * s + (1 - gamma) * p.grad.square()
        p[:] -= hyperparams["lr"] * p.grad / (s + eps).sqrt()


d2l.train_ch7(rmsprop, states, {"lr": 0.01, "gamma": 0.9}, features, labels)
d2l.train_gluon_ch7("rmsprop", {"learning_rate": 0.01, "gamma1": 0.9}, features, labels)
