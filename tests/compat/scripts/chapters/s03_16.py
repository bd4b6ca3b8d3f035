"""Section 3.16: house prices, from tables in ../data."""

import d2lzh as d2l
import numpy as np
import pandas as pd
from mxnet import autograd, gluon, init, nd
from mxnet.gluon import data as gdata
from mxnet.gluon import loss as gloss
from mxnet.gluon import nn

train_data = pd.read_csv("../data/kaggle_house_pred_train.csv")
test_data = pd.read_csv("../data/kaggle_house_pred_test.csv")
print(train_data.iloc[0:4, [0, 1, 2, -2, -1]])
all_features = pd.concat((train_data.iloc[:, 1:-1], test_data.iloc[:, 1:]))
numeric = all_features.dtypes[all_features.dtypes != "object"].index
all_features[numeric] = all_features[numeric].apply(lambda x: (x - x.mean()) / (x.std()))
all_features[numeric] = all_features[numeric].fillna(0)
all_features = pd.get_dummies(all_features, dummy_na=True)
n_train = train_data.shape[0]
train_features = nd.array(all_features[:n_train].values)
test_features = nd.array(all_features[n_train:].values)
train_labels = nd.array(train_data.SalePrice.values).reshape((-1, 1))
loss = gloss.L2Loss()


def log_rmse(net, features, labels):
    clipped = nd.clip(net(features), 1, float("inf"))
    return nd.sqrt(2 * loss(clipped.log(), labels.log()).mean()).asscalar()


def train(net, features, labels, num_epochs, learning_rate, weight_decay, batch_size):
    ls = []
    train_iter = gdata.DataLoader(gdata.ArrayDataset(features, labels), batch_size, shuffle=True)
    trainer = gluon.Trainer(
        net.collect_params(), "adam", {"learning_rate": learning_rate, "wd": weight_decay}
    )
    for _ in range(num_epochs):
        for X, y in train_iter:
            with autograd.record():
                l = loss(net(X), y)
            l.backward()
            trainer.step(batch_size)
        ls.append(log_rmse(net, features, labels))
    return ls


net = nn.Sequential()
net.add(nn.Dense(1))
net.initialize(init.Normal(sigma=0.01))
ls = train(net, train_features, train_labels, 10, 5, 0, 64)
d2l.semilogy(range(1, 11), ls, "epochs", "rmse")
print("train rmse %f" % ls[-1])
assert ls[-1] < ls[0]
preds = net(test_features).asnumpy()
test_data["SalePrice"] = pd.Series(preds.reshape(1, -1)[0])
submission = pd.concat([test_data["Id"], test_data["SalePrice"]], axis=1)
submission.to_csv("submission.csv", index=False)
assert not np.isnan(submission.SalePrice).any()
