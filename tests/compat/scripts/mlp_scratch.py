# ruff: noqa
# mypy: ignore-errors
# A multilayer perceptron from scratch, in the manner of the book's sections 3.9 and 3.13: which points of
# the plane lie in the ring? No straight line tells.
from mxnet import autograd, nd
from mxnet.gluon import loss as gloss

num_inputs, num_outputs, num_hiddens, batch_size = 2, 2, 64, 50
drop_prob = 0.1


def points(n):
    X = nd.random.uniform(-1, 1, shape=(n, num_inputs))
    radius = (X**2).sum(axis=1).sqrt()
    return X, (radius > 0.4) * (radius < 0.9)


features, labels = points(1000)
test_features, test_labels = points(400)

W1 = nd.random.normal(scale=1, shape=(num_inputs, num_hiddens))
b1 = nd.zeros(num_hiddens)
W2 = nd.random.normal(scale=0.1, shape=(num_hiddens, num_outputs))
b2 = nd.zeros(num_outputs)
params = [W1, b1, W2, b2]
for param in params:
    param.attach_grad()


def relu(X):
    return nd.maximum(X, 0)


def dropout(X, drop_prob):
    assert 0 <= drop_prob <= 1
    keep_prob = 1 - drop_prob
    if keep_prob == 0:
        return X.zeros_like()
    mask = nd.random.uniform(0, 1, X.shape) < keep_prob
    return mask * X / keep_prob


def net(X):
    X = X.reshape((-1, num_inputs))
    H = relu(nd.dot(X, W1) + b1)
    if autograd.is_training():
        H = dropout(H, drop_prob)
    return nd.dot(H, W2) + b2


loss = gloss.SoftmaxCrossEntropyLoss()
for epoch in range(60):
    for i in range(0, len(features), batch_size):
        X, y = features[i : i + batch_size], labels[i : i + batch_size]
        with autograd.record():
            l = loss(net(X), y)
        l.backward()
        for param in params:
            param[:] = param - 0.5 * param.grad / batch_size
    if (epoch + 1) % 20 == 0:
        accuracy = (net(test_features).argmax(axis=1) == test_labels).mean().asscalar()
        train_l = loss(net(features), labels).mean().asnumpy()
        print("epoch %d, loss %f, test acc %.3f" % (epoch + 1, train_l, accuracy))
