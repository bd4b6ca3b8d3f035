"""Section 2.3: gradients, training mode, gradients through control flow."""

from mxnet import autograd, nd

x = nd.arange(4).reshape((4, 1))
x.attach_grad()
with autograd.record():
    y = 2 * nd.dot(x.T, x)
y.backward()
assert (x.grad - 4 * x).norm().asscalar() == 0
print(autograd.is_training())
with autograd.record():
    print(autograd.is_training())


def double(a):
    b = a * 2
    while b.norm().asscalar() < 1000:
        b = b * 2
    return b if b.sum().asscalar() > 0 else 100 * b


a = nd.random.normal(shape=1)
a.attach_grad()
with autograd.record():
    c = double(a)
c.backward()
assert a.grad == c / a
