"""What Gluon's small part promises beyond MXNet's answers: safe files, seeds, late shapes, errors."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from learnrate.compat import mxnet as mx
from learnrate.compat.mxnet import autograd, gluon, init, nd
from learnrate.compat.mxnet.gluon import data as gdata
from learnrate.compat.mxnet.gluon import loss as gloss
from learnrate.compat.mxnet.gluon import nn
from learnrate.errors import DataError, InputError, LearnrateError, MissingNameError, OptionError


def perceptron(inputs: int = 3) -> nn.Sequential:
    net = nn.Sequential()
    net.add(nn.Dense(4, activation="relu"), nn.Dense(2))
    net.initialize(init.Xavier())
    net(nd.ones((1, inputs)))
    return net


def test_dense_and_l2_loss_are_linear_regression() -> None:
    X, y = nd.random.normal(shape=(6, 3)), nd.random.normal(shape=(6,))
    net = nn.Dense(1)
    net.initialize()
    with autograd.record():
        loss = gloss.L2Loss()(net(X), y)
    loss.backward()
    w, b = net.weight.data().asnumpy(), net.bias.data().asnumpy()  # type: ignore[union-attr]
    residual = (X.asnumpy() @ w.T + b)[:, 0] - y.asnumpy()
    np.testing.assert_allclose(loss.asnumpy(), residual**2 / 2, rtol=1e-5)
    np.testing.assert_allclose(net.weight.grad().asnumpy()[0], residual @ X.asnumpy(), rtol=1e-4)


def test_a_step_is_the_note_s() -> None:
    net = perceptron()
    before = [p.data().asnumpy() for p in net.collect_params().values()]
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.3})
    with autograd.record():
        loss = net(nd.ones((5, 3))).sum()
    loss.backward()
    trainer.step(5)
    for old, parameter in zip(before, net.collect_params().values(), strict=True):
        expected = old - 0.3 * parameter.grad().asnumpy() / 5
        np.testing.assert_allclose(parameter.data().asnumpy(), expected, rtol=1e-5)


def test_a_frozen_parameter_stays() -> None:
    net = perceptron()
    frozen = net[0].collect_params()
    frozen.setattr("grad_req", "null")
    before = net[0].weight.data().asnumpy()
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 1, "wd": 0.5})
    with autograd.record():
        loss = net(nd.ones((1, 3))).sum()
    loss.backward()
    trainer.step(1)
    np.testing.assert_array_equal(net[0].weight.data().asnumpy(), before)
    with pytest.raises(InputError, match="grad_req"):
        net[0].weight.grad()


def test_a_constant_has_one_value() -> None:
    params = gluon.ParameterDict("net_")
    mask = params.get_constant("mask", [[1, 0]])
    assert params.get_constant("mask") is mask is params.get_constant("mask", nd.array([[1, 0]]))
    params.initialize(init.One())
    assert mask.data().asnumpy().tolist() == [[1, 0]]
    with pytest.raises(InputError, match="net_mask must keep its values"):
        params.get_constant("mask", [[2, 0]])
    with pytest.raises(InputError, match="a value for net_other"):
        params.get_constant("other")


def test_a_step_without_a_new_gradient_changes_nothing() -> None:
    net = perceptron()
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 1})
    with autograd.record():
        loss = net[0](nd.ones((1, 3))).sum()
    loss.backward()
    before = [p.data().asnumpy() for p in net.collect_params().values()]
    with pytest.raises(UserWarning, match=r"Got none since the last step for dense\d+_weight"):
        trainer.step(1)
    after = [p.data().asnumpy() for p in net.collect_params().values()]
    assert all(np.array_equal(old, new) for old, new in zip(before, after, strict=True))


def test_multipliers_scale_the_rate_and_the_decay() -> None:
    weights = [gluon.Parameter(f"w{i}", shape=(1,), init=init.One()) for i in range(3)]
    weights[1].lr_mult = 0.5
    weights[2].wd_mult = 0.0
    trainer = gluon.Trainer(weights, "sgd", {"learning_rate": 0.1, "wd": 0.5})
    for w in weights:
        w.initialize()
        with autograd.record():
            loss = 2 * w.data()
        loss.backward()
    trainer.step(1)
    values = [float(w.data().asscalar()) for w in weights]
    assert values == pytest.approx([0.75, 0.875, 0.8])


def test_divergence_warns_of_nothing() -> None:
    net = nn.Dense(1)
    net.initialize()
    for name in ("sgd", "adagrad", "rmsprop", "adadelta", "adam"):
        trainer = gluon.Trainer(net.collect_params(), name, {"learning_rate": 1e30})
        for _ in range(5):
            with autograd.record():
                loss = (1e30 * net(nd.ones((2, 2)))) ** 2
            loss.backward()
            trainer.step(2)
    assert not np.isfinite(net.weight.data().asnumpy()).any()


def test_the_rate_can_be_changed() -> None:
    trainer = gluon.Trainer(perceptron().collect_params(), mx.optimizer.SGD(learning_rate=0.5))
    trainer.set_learning_rate(0.25)
    assert trainer.learning_rate == trainer.optimizer.learning_rate == 0.25


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("adamm", {}), "Did you mean 'adam'"),
        (("sgd", {"momentun": 0.9}), "momentun"),
        ((3, {}), "must be one of"),
    ],
)
def test_bad_optimisers_are_refused(arguments: Any, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        gluon.Trainer(perceptron().collect_params(), *arguments)


def test_a_trainer_wants_parameters_and_a_batch_size() -> None:
    with pytest.raises(InputError, match="collect_params"):
        gluon.Trainer([nd.ones(2)], "sgd")
    with pytest.raises(InputError, match="Got Dense instead"):
        gluon.Trainer(nn.Dense(1), "sgd")
    with pytest.raises(OptionError, match="batch_size"):
        gluon.Trainer(perceptron().collect_params(), "sgd").step(0)


# Files


def test_parameters_come_back(tmp_path: Path) -> None:
    net = perceptron()
    net.save_parameters(tmp_path / "net.params")
    assert [path.name for path in tmp_path.iterdir()] == ["net.params"]
    other = nn.Sequential()  # never initialised: shapes and values come from the file
    other.add(nn.Dense(4, activation="relu"), nn.Dense(2))
    other.load_parameters(str(tmp_path / "net.params"), ctx=mx.cpu())
    x = nd.random.normal(shape=(5, 3))
    np.testing.assert_array_equal(other(x).asnumpy(), net(x).asnumpy())
    with autograd.record():
        loss = other(x)
    loss.backward()
    assert float(abs(other[1].weight.grad()).sum()) > 0


class Bomb:
    """Pickled, it would be run on reading."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (print, ("executed",))


def test_nothing_in_a_file_is_executed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bomb.npz"
    names = perceptron().parameters_by_path()
    arrays: Any = {name: np.array([Bomb()], dtype=object) for name in names}
    np.savez(path, **arrays)
    with pytest.raises(DataError, match="save_parameters"):
        perceptron().load_parameters(path)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04junk", b"\x12\x01\x00\x00", b"\x93NUMPY\x01"])
def test_files_that_are_something_else(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "net.params"
    path.write_bytes(content)
    with pytest.raises(DataError, match="wrote, here or in MXNet, whole"):
        perceptron().load_parameters(path)


def test_a_single_array_is_no_file_of_parameters(tmp_path: Path) -> None:
    np.save(tmp_path / "one.npy", np.ones(3))
    with pytest.raises(DataError, match="save_parameters"):
        perceptron().load_parameters(tmp_path / "one.npy")


def test_arrays_come_back_as_they_went(tmp_path: Path) -> None:
    path = tmp_path / "arrays"
    x, y = nd.arange(6).reshape((2, 3)), nd.array([1, 2], dtype="int64")
    for given in (x, [x, y], {"x": x, "y": y}, [], {}):
        nd.save(path, given)
        found = nd.load(str(path))
        wanted: Any = [x] if given is x else given or []
        assert type(found) is type(wanted)
        assert len(found) == len(wanted)
        if isinstance(wanted, dict):
            assert list(found) == list(wanted)
            found, wanted = list(found.values()), list(wanted.values())
        for ours, theirs in zip(found, wanted, strict=True):
            assert ours.dtype is theirs.dtype
            np.testing.assert_array_equal(ours.asnumpy(), theirs.asnumpy())
    with pytest.raises(InputError, match="list of them, or a dict"):
        nd.save(path, [x, 3])
    nd.save(path, [x])
    with pytest.raises(DataError, match="whose arrays have no names"):
        perceptron().load_parameters(path)


def test_a_file_that_was_cut_or_changed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net"
    perceptron().save_parameters(path)
    content = path.read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(300):
        changed = bytearray(content[: rng.integers(len(content))])
        if len(changed) and rng.random() < 0.5:
            changed = bytearray(content)
            changed[rng.integers(len(changed))] = rng.integers(256)
        path.write_bytes(bytes(changed))
        try:
            nd.load(path)  # a byte of a number or a name may be another
        except DataError as error:
            message = str(error)
            if "\n" in message:
                pytest.fail(message)


def test_a_missing_file() -> None:
    with pytest.raises(DataError, match=r"must exist\. Got 'nowhere\.params'"):
        perceptron().load_parameters("nowhere.params")


def test_a_file_that_does_not_fit_changes_nothing(tmp_path: Path) -> None:
    perceptron(inputs=3).save_parameters(tmp_path / "three")
    net = perceptron(inputs=5)
    before = net[1].weight.data().asnumpy()
    with pytest.raises(DataError, match=r"\(4, 5\)\. Got \(4, 3\)"):
        net.load_parameters(tmp_path / "three")
    np.testing.assert_array_equal(net[1].weight.data().asnumpy(), before)
    short = nn.Sequential()
    short.add(nn.Dense(4))
    with pytest.raises(DataError, match=r"none missing and 1\.bias, 1\.weight too many"):
        short.load_parameters(tmp_path / "three")
    short.load_parameters(tmp_path / "three", ignore_extra=True)
    assert short[0].weight.shape == (4, 3)


# Shapes, names, blocks


def test_a_shape_is_decided_by_the_first_batch_even_while_recording() -> None:
    net = nn.Dense(2, weight_initializer=init.Constant(1))
    net.initialize()
    with pytest.raises(InputError, match="run a first batch"):
        net.weight.data()
    with autograd.record():
        loss = net(nd.ones((3, 4)))
    loss.backward()
    assert net.weight.grad().asnumpy().tolist() == [[3] * 4] * 2


def test_unitialised_parameters_say_what_to_do() -> None:
    net = nn.Dense(2)
    with pytest.raises(InputError, match=r"dense\d+_weight must be initialised.*initialize\(\)"):
        net(nd.ones((1, 2)))


def test_initialising_again_keeps_the_values_and_warns() -> None:
    net = perceptron()
    before = net[0].weight.data().asnumpy()
    with pytest.warns(UserWarning, match="force_reinit"):
        net.initialize(init.One())
    np.testing.assert_array_equal(net[0].weight.data().asnumpy(), before)
    net.initialize(init.One(), force_reinit=True)
    assert net[0].weight.data().asnumpy().tolist() == [[1] * 3] * 4
    assert net[0].bias.data().asnumpy().tolist() == [0] * 4


def test_an_initializer_of_ones_own() -> None:
    class Counting(init.Initializer):
        def _init_weight(self, name: str, arr: nd.NDArray) -> None:
            arr[:] = nd.arange(arr.size).reshape(arr.shape)

    net = nn.Dense(2, in_units=2)
    net.initialize(Counting())
    assert net.weight.data().asnumpy().tolist() == [[0, 1], [2, 3]]
    with pytest.raises(OptionError, match="Did you mean 'normal'"):
        nn.Dense(2, in_units=2, weight_initializer="norml").initialize()
    with pytest.raises(InputError, match="at least 2 axes"):
        gluon.Parameter("w", shape=(3,), init=init.Xavier()).initialize()


def test_blocks_of_ones_own() -> None:
    class Scaled(nn.HybridBlock):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            with self.name_scope():
                self.dense = nn.Dense(2, use_bias=False)
                self.scale = self.params.get("scale", shape=(1,), init=init.Constant(3))

        def hybrid_forward(self, F: Any, x: Any, scale: Any) -> Any:
            return F.broadcast_mul(self.dense(x), scale)

    net = Scaled(prefix="net_")
    net.hybridize()
    net.initialize(init.One())
    assert net(nd.ones((1, 2))).asnumpy().tolist() == [[6, 6]]
    assert set(net.collect_params()) == {"net_scale", "net_dense0_weight"}
    assert set(net.parameters_by_path()) == {"scale", "dense.weight"}
    assert "(dense): Dense(2 -> 2, linear)" in repr(net)


def test_layers_can_share_parameters() -> None:
    first = nn.Dense(2, in_units=2)
    second = nn.Dense(2, in_units=2, params=first.params)
    first.initialize()
    assert second.weight is first.weight
    net = nn.Sequential()
    net.add(first, second)
    assert list(net.collect_params()) == list(first.collect_params())


def test_dropout_drops_only_while_training() -> None:
    net = nn.Dropout(0.5)
    x = nd.ones((50, 50))
    assert float(net(x).min()) == 1
    with autograd.record():
        dropped = net(x).asnumpy()
    assert set(np.unique(dropped)) == {0, 2}


def test_layers_are_checked() -> None:
    with pytest.raises(InputError, match=r"nn\.Lambda"):
        nn.Sequential().add(abs)  # type: ignore[arg-type]
    net = nn.Dense(2, in_units=3)
    net.initialize()
    with pytest.raises(InputError, match="3 inputs per example"):
        net(nd.ones((2, 4)))
    with pytest.raises(OptionError, match="units"):
        nn.Dense(0)


# Minibatches


def visited(loader: Any) -> list[float]:
    return [float(value) for batch in loader for value in batch.asnumpy()]


def test_shuffling_follows_learnrates_seed_and_touches_no_other() -> None:
    dataset = gdata.ArrayDataset(nd.arange(20))
    before, python = np.random.get_state(), random.getstate()  # noqa: NPY002
    mx.random.seed(3)
    loader = gdata.DataLoader(dataset, 6, shuffle=True)
    first, second = visited(loader), visited(loader)
    mx.random.seed(3)
    assert visited(gdata.DataLoader(dataset, 6, shuffle=True)) == first
    assert sorted(first) == sorted(second) == list(range(20))
    assert first != second != list(range(20))
    assert random.getstate() == python
    for old, new in zip(before, np.random.get_state(), strict=True):  # noqa: NPY002
        np.testing.assert_array_equal(old, new)


def test_features_and_labels_stay_together() -> None:
    X = nd.random.normal(shape=(30, 3))
    for features, labels in gdata.DataLoader(gdata.ArrayDataset(X, X[:, 1]), 7, shuffle=True):
        np.testing.assert_array_equal(features.asnumpy()[:, 1], labels.asnumpy())


def test_whole_arrays_give_what_single_examples_do() -> None:
    X, y = nd.random.normal(shape=(11, 3)), np.arange(11)

    class OneByOne(gdata.Dataset):
        def __len__(self) -> int:
            return 11

        def __getitem__(self, i: int) -> Any:
            return X[i], y[i]

    slow = list(gdata.DataLoader(OneByOne(), 4))
    quick = list(gdata.DataLoader(gdata.ArrayDataset(X, y), 4))
    assert len(slow) == len(quick) == 3
    for pairs in zip(slow, quick, strict=True):
        for ours, theirs in zip(*pairs, strict=True):
            assert ours.dtype == theirs.dtype
            np.testing.assert_array_equal(ours.asnumpy(), theirs.asnumpy())


def test_the_last_batch() -> None:
    dataset = gdata.ArrayDataset(nd.arange(7))
    assert visited(gdata.DataLoader(dataset, 3, last_batch="discard")) == [0, 1, 2, 3, 4, 5]
    rolling = gdata.DataLoader(dataset, 3, last_batch="rollover")
    assert visited(rolling) == [0, 1, 2, 3, 4, 5]
    assert len(rolling) == 2
    assert visited(rolling) == [6, 0, 1, 2, 3, 4]
    assert visited(gdata.DataLoader(dataset, 2, sampler=[6, 1, 3])) == [6, 1, 3]


@pytest.mark.parametrize(
    "arguments",
    [
        {"batch_size": 0},
        {"batch_size": 2, "last_batch": "drop"},
        {"batch_size": 2, "shuffle": True, "sampler": [1]},
    ],
)
def test_bad_loaders_are_refused(arguments: Any) -> None:
    with pytest.raises(OptionError):
        gdata.DataLoader(nd.arange(3), **arguments)


# Names and devices


@pytest.mark.parametrize(
    ("module", "name", "hint"),
    [
        (mx, "sym", "not part of learnrate"),
        (mx.nd, "Convolution", "nd.Convolution"),
        (mx.nd.random, "exponential", "random.exponential"),
        (mx.autograd, "Function", "autograd.Function"),
        (gluon, "rnn", "gluon.rnn"),
        (nn, "Conv2D", "gluon.nn.Conv2D"),
        (nn, "Dens", "Did you mean 'Dense'"),
        (
            gloss,
            "CTCLoss",
            r"gluon\.loss\.CTCLoss is not part of learnrate, which has what .* use\.$",
        ),
        (nd, "arcsin", "use.$"),  # not: Did you mean 'sin'?
        (gdata, "vison", "Did you mean 'vision'"),
        (init, "Orthogonal", "init.Orthogonal"),
        (mx.optimizer, "Nadam", "optimizer.Nadam"),
        (nd.ones(1), "backwards", "Did you mean 'backward'"),
    ],
)
def test_what_is_missing_is_named(module: Any, name: str, hint: str) -> None:
    assert not hasattr(module, name)
    with pytest.raises(MissingNameError, match=hint):
        getattr(module, name)


def test_there_is_no_gpu_and_scripts_can_find_out() -> None:
    assert mx.context.num_gpus() == 0
    with pytest.raises(mx.base.MXNetError):
        nd.zeros((1,), ctx=mx.gpu())
    with pytest.raises(LearnrateError):
        nn.Dense(1).initialize(ctx=[mx.gpu(0)])
    assert gluon.utils.split_and_load(nd.ones(3), [mx.cpu()])[0].shape == (3,)
    with pytest.raises(OptionError):
        gluon.utils.split_and_load(nd.ones(3), [mx.cpu(), mx.cpu()])
