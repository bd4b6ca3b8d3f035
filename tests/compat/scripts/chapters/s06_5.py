"""Chapter 6: recurrent layers stay out."""

from mxnet.gluon import rnn

rnn.RNN(256)
