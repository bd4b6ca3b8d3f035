"""Section 4.6: devices. What is put on a GPU is refused."""

import mxnet as mx
from mxnet import nd
from mxnet.gluon import nn

print(mx.cpu(), mx.gpu(), mx.gpu(1))
x = nd.array([1, 2, 3], ctx=mx.cpu())
with mx.cpu():
    y = x.as_in_context(mx.cpu()).copyto(mx.cpu())
print(x.context, y.context)
net = nn.Sequential()
net.add(nn.Dense(1))
net.initialize(ctx=mx.cpu())
nd.array([1, 2, 3], ctx=mx.gpu())
