"""Section 7.3: minibatches."""

import time

import d2lzh as d2l
import numpy as np
from mxnet import autograd, gluon, init, nd
from mxnet.gluon import data as gdata
from mxnet.gluon import loss as gloss
from mxnet.gluon import nn

features, labels = d2l.get_data_ch7()
print(features.shape)


def sgd(params, states, hyperparams):
    for p in params:
        p[:] -= hyperparams["lr"] * p.grad


def train_ch7(trainer_fn, states, hyperparams, batch_size=10, num_epochs=2):
    net, loss = d2l.linreg, d2l.squared_loss
    w = nd.random.normal(scale=0.01, shape=(features.shape[1], 1))
    b = nd.zeros(1)
    w.attach_grad()
    b.attach_grad()
    ls = [loss(net(features, w, b), labels).mean().asscalar()]
    data_iter = gdata.DataLoader(gdata.ArrayDataset(features, labels), batch_size, shuffle=True)
    for _ in range(num_epochs):
        start = time.time()
        for batch_i, (X, y) in enumerate(data_iter):
            with autograd.record():
                l = loss(net(X, w, b), y).mean()
            l.backward()
            trainer_fn([w, b], states, hyperparams)
            if (batch_i + 1) * batch_size % 100 == 0:
                ls.append(loss(net(features, w, b), labels).mean().asscalar())
    print("loss: %f, %f sec per epoch" % (ls[-1], time.time() - start))
    d2l.set_figsize()
    d2l.plt.plot(np.linspace(0, num_epochs, len(ls)), ls)


def train_sgd(lr, batch_size, num_epochs=2):
    train_ch7(sgd, None, {"lr": lr}, batch_size, num_epochs)


train_sgd(1, 1500, 6)
train_sgd(0.05, 10)
d2l.train_ch7(sgd, None, {"lr": 0.05}, features, labels, 10)
d2l.train_sgd(0.05, 10, features, labels)
net = nn.Sequential()
net.add(nn.Dense(1))
net.initialize(init.Normal(sigma=0.01))
trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.05})
for X, y in gdata.DataLoader(gdata.ArrayDataset(features, labels), 10, shuffle=True):
    with autograd.record():
        l = gloss.L2Loss()(net(X), y)
    l.backward()
    trainer.step(10)
d2l.train_gluon_ch7("sgd", {"learning_rate": 0.05}, features, labels, 10)
