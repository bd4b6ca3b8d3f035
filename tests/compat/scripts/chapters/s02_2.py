"""Section 2.2: arrays, their operations, broadcasting, indices, memory, NumPy."""

import numpy as np
from mxnet import nd

x = nd.arange(12)
print(x, x.shape, x.size)
X = x.reshape((3, 4))
assert X.reshape((-1, 4)).shape == x.reshape((3, -1)).shape == (3, 4)
print(nd.zeros((2, 3, 4)), nd.ones((3, 4)))
Y = nd.array([[2, 1, 4, 3], [1, 2, 3, 4], [4, 3, 2, 1]])
noise = nd.random.normal(0, 1, shape=(3, 4))
print(X + Y, X * Y, X / Y, Y.exp(), nd.dot(X, Y.T), X == Y)
print(nd.concat(X, Y, dim=0), nd.concat(X, Y, dim=1), X.sum(), X.norm().asscalar())
A = nd.arange(3).reshape((3, 1))
B = nd.arange(2).reshape((1, 2))
print(A + B, X[1:3])
X[1, 2] = 9
X[1:2, :] = 12
before = id(Y)
Y = Y + X
assert id(Y) != before
Z = Y.zeros_like()
before = id(Z)
Z[:] = X + Y
nd.elemwise_add(X, Y, out=Z)
assert id(Z) == before
before = id(X)
X[:] = X + Y
X += Y
assert id(X) == before
P = np.ones((2, 3))
D = nd.array(P)
print(D, D.asnumpy())
