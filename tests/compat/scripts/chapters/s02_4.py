"""Section 2.4: looking things up."""

from mxnet import nd

print(dir(nd.random))
help(nd.ones_like)
x = nd.array([[0, 0, 0], [2, 2, 2]])
print(x.ones_like())
