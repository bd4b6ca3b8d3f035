# ruff: noqa
# mypy: ignore-errors
# Softmax regression from scratch, in the manner of the book's section 3.6, on four kinds of small pictures.
from mxnet import autograd, nd

num_inputs, num_outputs, batch_size, num_epochs, lr = 64, 4, 32, 6, 0.1
shapes = nd.random.uniform(shape=(num_outputs, 8, 8)) > 0.5


def pictures(n):
    y = nd.floor(nd.random.uniform(0, num_outputs, shape=(n,)))
    return shapes.take(y) + nd.random.normal(scale=0.8, shape=(n, 8, 8)), y


def batches(X, y):
    for i in range(0, len(X), batch_size):
        yield X[i : i + batch_size], y[i : i + batch_size]


train, test = pictures(800), pictures(200)
W = nd.random.normal(scale=0.01, shape=(num_inputs, num_outputs))
b = nd.zeros(num_outputs)
W.attach_grad()
b.attach_grad()


def softmax(X):
    X_exp = X.exp()
    partition = X_exp.sum(axis=1, keepdims=True)
    return X_exp / partition


def net(X):
    return softmax(nd.dot(X.reshape((-1, num_inputs)), W) + b)


def cross_entropy(y_hat, y):
    return -nd.pick(y_hat, y).log()


def evaluate_accuracy(data, net):
    acc_sum, n = 0.0, 0
    for X, y in batches(*data):
        y = y.astype("float32")
        acc_sum += (net(X).argmax(axis=1) == y).sum().asscalar()
        n += y.size
    return acc_sum / n


for epoch in range(num_epochs):
    train_l_sum, train_acc_sum, n = 0.0, 0.0, 0
    for X, y in batches(*train):
        with autograd.record():
            y_hat = net(X)
            l = cross_entropy(y_hat, y).sum()
        l.backward()
        for param in [W, b]:
            param[:] = param - lr * param.grad / batch_size
        train_l_sum += l.asscalar()
        train_acc_sum += (y_hat.argmax(axis=1) == y).sum().asscalar()
        n += y.size
    test_acc = evaluate_accuracy(test, net)
    print(
        "epoch %d, loss %.4f, train acc %.3f, test acc %.3f"
        % (epoch + 1, train_l_sum / n, train_acc_sum / n, test_acc)
    )
