"""Section 3.5: pictures of clothes."""

import sys
import time

import d2lzh as d2l
from mxnet.gluon import data as gdata

mnist_train = gdata.vision.FashionMNIST(train=True)
mnist_test = gdata.vision.FashionMNIST(train=False)
print(len(mnist_train), len(mnist_test))
feature, label = mnist_train[0]
print(feature.shape, feature.dtype, label, type(label), label.dtype)
X, y = mnist_train[0:9]
d2l.show_fashion_mnist(X, d2l.get_fashion_mnist_labels(y))
transformer = gdata.vision.transforms.ToTensor()
workers = 0 if sys.platform.startswith("win32") else 4
train_iter = gdata.DataLoader(
    mnist_train.transform_first(transformer), 256, shuffle=True, num_workers=workers
)
start = time.time()
for X, y in train_iter:
    continue
print("%.2f sec" % (time.time() - start))
