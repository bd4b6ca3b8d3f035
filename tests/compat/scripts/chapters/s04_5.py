"""Section 4.5: arrays and parameters in files."""

from mxnet import nd
from mxnet.gluon import nn

x = nd.ones(3)
nd.save("x", x)
y = nd.zeros(4)
nd.save("xy", [x, y])
nd.save("mydict", {"x": x, "y": y})
print(nd.load("x"))
x2, y2 = nd.load("xy")
mydict2 = nd.load("mydict")
print(x2, y2, mydict2)


class MLP(nn.Block):
    def __init__(self, **kwargs):
        super(MLP, self).__init__(**kwargs)
        self.hidden = nn.Dense(256, activation="relu")
        self.output = nn.Dense(10)

    def forward(self, x):
        return self.output(self.hidden(x))


net = MLP()
net.initialize()
X = nd.random.uniform(shape=(2, 20))
Y = net(X)
net.save_parameters("mlp.params")
net2 = MLP()
net2.load_parameters("mlp.params")
assert (net2(X) == Y).sum() == 20
