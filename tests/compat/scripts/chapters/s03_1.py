"""Section 3.1: adding vectors one by one and at once."""

from time import time

from mxnet import nd

a = nd.ones(shape=1000)
b = nd.ones(shape=1000)
start = time()
c = nd.zeros(shape=1000)
for i in range(1000):
    c[i] = a[i] + b[i]
slow = time() - start
start = time()
d = a + b
print(slow, time() - start)
assert (c == d).sum() == 1000
print(nd.ones(shape=3) + 10)
