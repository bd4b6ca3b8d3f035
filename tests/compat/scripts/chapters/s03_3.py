"""Section 3.3: linear regression with Gluon."""

from mxnet import autograd, gluon, init, nd
from mxnet.gluon import data as gdata
from mxnet.gluon import loss as gloss
from mxnet.gluon import nn

features = nd.random.normal(scale=1, shape=(500, 2))
labels = 2 * features[:, 0] - 3.4 * features[:, 1] + 4.2
dataset = gdata.ArrayDataset(features, labels)
data_iter = gdata.DataLoader(dataset, 10, shuffle=True)
net = nn.Sequential()
net.add(nn.Dense(1))
net.initialize(init.Normal(sigma=0.01))
loss = gloss.L2Loss()
trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.03})
for epoch in range(1, 4):
    for X, y in data_iter:
        with autograd.record():
            l = loss(net(X), y)
        l.backward()
        trainer.step(10)
    l = loss(net(features), labels)
    print("epoch %d, loss: %f" % (epoch, l.mean().asnumpy()))
dense = net[0]
print(dense.weight.data(), dense.bias.data(), dense.weight.grad())
assert l.mean().asscalar() < 0.1
