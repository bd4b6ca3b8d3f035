"""Chapter 5: convolution stays out."""

from mxnet.gluon import nn

net = nn.Sequential()
net.add(nn.Conv2D(channels=6, kernel_size=5, activation="sigmoid"))
