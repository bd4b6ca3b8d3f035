"""Section 7.7: AdaDelta."""

import d2lzh as d2l
from mxnet import nd

features, labels = d2l.get_data_ch7()
s_w, s_b = nd.zeros((features.shape[1], 1)), nd.zeros(1)
delta_w, delta_b = nd.zeros((features.shape[1], 1)), nd.zeros(1)


def adadelta(params, states, hyperparams):
    rho, eps = hyperparams["rho"], 1e-5
    for p, (s, delta) in zip(params, states):
        s[:] = rho * s + (1 - rho) * p.grad.square()
        g = ((delta + eps).sqrt() / (s + eps).sqrt()) * p.grad
        p[:] -= g
        delta[:] = rho * delta + (1 - rho) * g * g


d2l.train_ch7(adadelta, ((s_w, delta_w), (s_b, delta_b)), {"rho": 0.9}, features, labels)
d2l.train_gluon_ch7("adadelta", {"rho": 0.9}, features, labels)
