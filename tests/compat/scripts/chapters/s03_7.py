"""Section 3.7: softmax regression with Gluon."""

import d2lzh as d2l
from mxnet import gluon, init
from mxnet.gluon import loss as gloss
from mxnet.gluon import nn

batch_size = 32
train_iter, test_iter = d2l.load_data_fashion_mnist(batch_size)
net = nn.Sequential()
net.add(nn.Dense(10))
net.initialize(init.Normal(sigma=0.01))
loss = gloss.SoftmaxCrossEntropyLoss()
trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.1})
d2l.train_ch3(net, train_iter, test_iter, loss, 5, batch_size, None, None, trainer)
assert d2l.evaluate_accuracy(test_iter, net) > 0.5
