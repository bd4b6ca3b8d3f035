"""Section 3.12: weight decay, from scratch and with Gluon."""

import d2lzh as d2l
from mxnet import autograd, gluon, init, nd
from mxnet.gluon import data as gdata
from mxnet.gluon import loss as gloss
from mxnet.gluon import nn

n_train, n_test, inputs = 20, 100, 50
true_w, true_b = nd.ones((inputs, 1)) * 0.01, 0.05
features = nd.random.normal(shape=(n_train + n_test, inputs))
labels = nd.dot(features, true_w) + true_b
labels += nd.random.normal(scale=0.01, shape=labels.shape)
train_features, test_features = features[:n_train, :], features[n_train:, :]
train_labels, test_labels = labels[:n_train], labels[n_train:]
train_iter = gdata.DataLoader(gdata.ArrayDataset(train_features, train_labels), 1, shuffle=True)


def from_scratch(lambd):
    w = nd.random.normal(scale=1, shape=(inputs, 1))
    b = nd.zeros(shape=(1,))
    w.attach_grad()
    b.attach_grad()
    for _ in range(10):
        for X, y in train_iter:
            with autograd.record():
                l = d2l.squared_loss(d2l.linreg(X, w, b), y) + lambd * (w**2).sum() / 2
            l.backward()
            d2l.sgd([w, b], 0.003, 1)
    print("L2 norm of w:", w.norm().asscalar())
    return w.norm().asscalar()


def with_gluon(wd):
    net = nn.Sequential()
    net.add(nn.Dense(1))
    net.initialize(init.Normal(sigma=1))
    trainer_w = gluon.Trainer(
        net.collect_params(".*weight"), "sgd", {"learning_rate": 0.003, "wd": wd}
    )
    trainer_b = gluon.Trainer(net.collect_params(".*bias"), "sgd", {"learning_rate": 0.003})
    loss, train_ls, test_ls = gloss.L2Loss(), [], []
    for _ in range(10):
        for X, y in train_iter:
            with autograd.record():
                l = loss(net(X), y)
            l.backward()
            trainer_w.step(1)
            trainer_b.step(1)
        train_ls.append(loss(net(train_features), train_labels).mean().asscalar())
        test_ls.append(loss(net(test_features), test_labels).mean().asscalar())
    d2l.semilogy(range(10), train_ls, "epochs", "loss", range(10), test_ls, ["train", "test"])
    return net[0].weight.data().norm().asscalar()


assert from_scratch(3) < from_scratch(0)
assert with_gluon(3) < with_gluon(0)
