"""Section 3.13: dropout, from scratch and with Gluon."""

import d2lzh as d2l
from mxnet import autograd, gluon, init, nd
from mxnet.gluon import loss as gloss
from mxnet.gluon import nn


def dropout(X, drop_prob):
    assert 0 <= drop_prob <= 1
    keep_prob = 1 - drop_prob
    if keep_prob == 0:
        return X.zeros_like()
    mask = nd.random.uniform(0, 1, X.shape) < keep_prob
    return mask * X / keep_prob


X = nd.arange(16).reshape((2, 8))
print(dropout(X, 0), dropout(X, 0.5), dropout(X, 1))
W1 = nd.random.normal(scale=0.05, shape=(784, 32))
b1 = nd.zeros(32)
W2 = nd.random.normal(scale=0.05, shape=(32, 10))
b2 = nd.zeros(10)
params = [W1, b1, W2, b2]
for param in params:
    param.attach_grad()


def scratch(X):
    H = (nd.dot(X.reshape((-1, 784)), W1) + b1).relu()
    if autograd.is_training():
        H = dropout(H, 0.2)
    return nd.dot(H, W2) + b2


batch_size = 32
loss = gloss.SoftmaxCrossEntropyLoss()
train_iter, test_iter = d2l.load_data_fashion_mnist(batch_size)
d2l.train_ch3(scratch, train_iter, test_iter, loss, 3, batch_size, params, 0.5)
net = nn.Sequential()
net.add(nn.Dense(32, activation="relu"), nn.Dropout(0.2), nn.Dense(10))
net.initialize(init.Normal(sigma=0.01))
trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.5})
d2l.train_ch3(net, train_iter, test_iter, loss, 3, batch_size, None, None, trainer)
