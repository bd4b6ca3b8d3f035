"""Section 3.6: softmax regression from scratch."""

import d2lzh as d2l
from mxnet import autograd, nd

batch_size = 32
train_iter, test_iter = d2l.load_data_fashion_mnist(batch_size)
W = nd.random.normal(scale=0.01, shape=(784, 10))
b = nd.zeros(10)
W.attach_grad()
b.attach_grad()


def softmax(X):
    exps = X.exp()
    return exps / exps.sum(axis=1, keepdims=True)


def net(X):
    return softmax(nd.dot(X.reshape((-1, 784)), W) + b)


def cross_entropy(y_hat, y):
    return -nd.pick(y_hat, y).log()


def accuracy(y_hat, y):
    return (y_hat.argmax(axis=1) == y.astype("float32")).mean().asscalar()


y_hat = nd.array([[0.1, 0.3, 0.6], [0.3, 0.2, 0.5]])
print(nd.pick(y_hat, nd.array([0, 2], dtype="int32")), accuracy(y_hat, nd.array([0, 2])))
print(d2l.evaluate_accuracy(test_iter, net))
d2l.train_ch3(net, train_iter, test_iter, cross_entropy, 5, batch_size, [W, b], 0.1)
assert d2l.evaluate_accuracy(test_iter, net) > 0.5
for X, y in test_iter:
    break
true_labels = d2l.get_fashion_mnist_labels(y.asnumpy())
pred_labels = d2l.get_fashion_mnist_labels(net(X).argmax(axis=1).asnumpy())
titles = [true + "\n" + pred for true, pred in zip(true_labels, pred_labels)]
d2l.show_fashion_mnist(X[0:9], titles[0:9])
with autograd.record():
    cross_entropy(net(X), y)
