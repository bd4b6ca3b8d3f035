"""Section 3.11: polynomials that fit, underfit and overfit."""

import d2lzh as d2l
from mxnet import autograd, gluon, nd
from mxnet.gluon import data as gdata
from mxnet.gluon import loss as gloss
from mxnet.gluon import nn

n_train, true_w, true_b = 100, [1.2, -3.4, 5.6], 5
features = nd.random.normal(shape=(200, 1))
powers = nd.concat(features, nd.power(features, 2), nd.power(features, 3))
labels = true_w[0] * powers[:, 0] + true_w[1] * powers[:, 1] + true_w[2] * powers[:, 2] + true_b
labels += nd.random.normal(scale=0.1, shape=labels.shape)
loss = gloss.L2Loss()


def fit_and_plot(train_features, test_features, train_labels, test_labels, epochs=8):
    net = nn.Sequential()
    net.add(nn.Dense(1))
    net.initialize()
    batch_size = min(10, train_labels.shape[0])
    train_iter = gdata.DataLoader(
        gdata.ArrayDataset(train_features, train_labels), batch_size, shuffle=True
    )
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.01})
    train_ls, test_ls = [], []
    for _ in range(epochs):
        for X, y in train_iter:
            with autograd.record():
                l = loss(net(X), y)
            l.backward()
            trainer.step(batch_size)
        train_ls.append(loss(net(train_features), train_labels).mean().asscalar())
        test_ls.append(loss(net(test_features), test_labels).mean().asscalar())
    print("final epoch: train loss", train_ls[-1], "test loss", test_ls[-1])
    d2l.semilogy(
        range(1, epochs + 1),
        train_ls,
        "epochs",
        "loss",
        range(1, epochs + 1),
        test_ls,
        ["train", "test"],
    )
    print("weight:", net[0].weight.data().asnumpy(), "bias:", net[0].bias.data().asnumpy())


fit_and_plot(powers[:n_train, :], powers[n_train:, :], labels[:n_train], labels[n_train:])
fit_and_plot(features[:n_train, :], features[n_train:, :], labels[:n_train], labels[n_train:])
fit_and_plot(powers[0:2, :], powers[n_train:, :], labels[0:2], labels[n_train:])
