"""Section 3.9: a perceptron with one hidden layer, from scratch."""

import d2lzh as d2l
from mxnet import nd
from mxnet.gluon import loss as gloss

batch_size, hidden = 32, 64
train_iter, test_iter = d2l.load_data_fashion_mnist(batch_size)
W1 = nd.random.normal(scale=0.01, shape=(784, hidden))
b1 = nd.zeros(hidden)
W2 = nd.random.normal(scale=0.01, shape=(hidden, 10))
b2 = nd.zeros(10)
params = [W1, b1, W2, b2]
for param in params:
    param.attach_grad()


def relu(X):
    return nd.maximum(X, 0)


def net(X):
    H = relu(nd.dot(X.reshape((-1, 784)), W1) + b1)
    return nd.dot(H, W2) + b2


loss = gloss.SoftmaxCrossEntropyLoss()
d2l.train_ch3(net, train_iter, test_iter, loss, 10, batch_size, params, 0.5)
assert d2l.evaluate_accuracy(train_iter, net) > 0.5
