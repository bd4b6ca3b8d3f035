"""Section 4.2: parameters: to look at, to fill, to share."""

from mxnet import init, nd
from mxnet.gluon import nn

net = nn.Sequential()
net.add(nn.Dense(256, activation="relu"))
net.add(nn.Dense(10))
X = nd.random.uniform(shape=(2, 20))
try:
    net(X)
except RuntimeError as err:
    print(err)
net.initialize()
Y = net(X)
print(net[0].params, type(net[0].params))
print(net[0].params[net[0].name + "_weight"], net[0].weight, net[0].weight.data())
print(
    net[0].weight.grad(), net[1].bias.data(), net.collect_params(), net.collect_params(".*weight")
)
net.initialize(init=init.Normal(sigma=0.01), force_reinit=True)
net.initialize(init=init.Constant(1), force_reinit=True)
assert net[0].weight.data()[0].sum() == 20
net[0].weight.initialize(init=init.Xavier(), force_reinit=True)


class MyInit(init.Initializer):
    def _init_weight(self, name, data):
        print("Init", name, data.shape)
        data[:] = nd.random.uniform(low=-10, high=10, shape=data.shape)
        data *= data.abs() >= 5


net.initialize(MyInit(), force_reinit=True)
net[0].weight.set_data(net[0].weight.data() + 1)
shared = nn.Dense(8, activation="relu")
net = nn.Sequential()
net.add(
    nn.Dense(8, activation="relu"),
    shared,
    nn.Dense(8, activation="relu", params=shared.params),
    nn.Dense(10),
)
net.initialize()
net(X)
assert (net[1].weight.data()[0] == net[2].weight.data()[0]).sum() == 8
