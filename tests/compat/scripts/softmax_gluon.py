# ruff: noqa
# mypy: ignore-errors
# Softmax regression, concise: in the manner of the book's section 3.7, on four kinds of small pictures.
import sys
import mxnet as mx
from mxnet import autograd, gluon, init, nd
from mxnet.gluon import data as gdata, loss as gloss, nn

mx.random.seed(1)
num_outputs, batch_size = 4, 32
shapes = nd.random.uniform(shape=(num_outputs, 8, 8)) > 0.5


def loader(n, shuffle):
    y = nd.floor(nd.random.uniform(0, num_outputs, shape=(n,)))
    X = shapes.take(y) + nd.random.normal(scale=0.8, shape=(n, 8, 8))
    num_workers = 0 if sys.platform.startswith("win32") else 2
    dataset = gdata.ArrayDataset(X, y.asnumpy().astype("int32"))
    return gdata.DataLoader(dataset, batch_size, shuffle=shuffle, num_workers=num_workers)


train_iter, test_iter = loader(800, True), loader(200, False)
net = nn.Sequential()
net.add(nn.Flatten(), nn.Dense(num_outputs))
net.initialize(init.Normal(sigma=0.01))
loss = gloss.SoftmaxCrossEntropyLoss()
trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.1})

for epoch in range(6):
    train_l_sum, n = 0.0, 0
    for X, y in train_iter:
        with autograd.record():
            l = loss(net(X), y).sum()
        l.backward()
        trainer.step(batch_size)
        train_l_sum += l.asscalar()
        n += y.size
    hits = [(net(X).argmax(axis=1) == y.astype("float32")).sum().asscalar() for X, y in test_iter]
    print("epoch %d, loss %.4f, test acc %.3f" % (epoch + 1, train_l_sum / n, sum(hits) / 200))
