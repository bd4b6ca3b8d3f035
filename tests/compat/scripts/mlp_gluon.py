# ruff: noqa
# mypy: ignore-errors
# A multilayer perceptron, concise: in the manner of the book's sections 3.10 and 3.12 to 3.13, on the
# ring again; the weights decay, the biases do not.
import os
import tempfile

import mxnet as mx
from mxnet import autograd, gluon, init, nd
from mxnet.gluon import data as gdata, loss as gloss, nn


def points(n):
    X = nd.random.uniform(-1, 1, shape=(n, 2))
    radius = (X**2).sum(axis=1).sqrt()
    return X, (radius > 0.4) * (radius < 0.9)


class Perceptron(nn.Block):
    def __init__(self, **kwargs):
        super(Perceptron, self).__init__(**kwargs)
        self.hidden = nn.Dense(64, activation="relu", weight_initializer=init.Xavier())
        self.dropout = nn.Dropout(0.1)
        self.output = nn.Dense(2)

    def forward(self, x):
        return self.output(self.dropout(self.hidden(x)))


mx.random.seed(2)
batch_size = 50
features, labels = points(1000)
test_features, test_labels = points(400)
net = Perceptron()
net.initialize(init.Normal(sigma=0.1), ctx=mx.cpu())
net(features[0:2])
decaying = gluon.Trainer(
    net.collect_params(".*weight"), "adam", {"learning_rate": 0.02, "wd": 1e-5}
)
constant = gluon.Trainer(net.collect_params(".*bias"), "adam", {"learning_rate": 0.02})
loss = gloss.SoftmaxCrossEntropyLoss()
train_iter = gdata.DataLoader(gdata.ArrayDataset(features, labels), batch_size, shuffle=True)


def accuracy(net):
    return (net(test_features).argmax(axis=1) == test_labels).mean().asscalar()


for epoch in range(40):
    for X, y in train_iter:
        with autograd.record():
            l = loss(net(X), y)
        l.backward()
        decaying.step(batch_size)
        constant.step(batch_size)
    if (epoch + 1) % 20 == 0:
        print(
            "epoch %d, loss %f, test acc %.3f"
            % (epoch + 1, loss(net(features), labels).mean().asnumpy(), accuracy(net))
        )

with tempfile.TemporaryDirectory() as folder:
    net.save_parameters(os.path.join(folder, "perceptron.params"))
    other = Perceptron()
    other.load_parameters(os.path.join(folder, "perceptron.params"))
print("read again: test acc %.3f" % accuracy(other))
