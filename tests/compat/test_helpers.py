"""The book's helpers and data sets: files where there are some, made-up examples where there are none."""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from learnrate.compat import d2lzh as d2l
from learnrate.compat import datasets
from learnrate.compat.d2lzh import data as helpers
from learnrate.compat.mxnet import Context, cpu, gpu, nd
from learnrate.compat.mxnet.gluon.data import ArrayDataset, DataLoader, vision
from learnrate.compat.mxnet.gluon.loss import L1Loss
from learnrate.compat.script import run_script
from learnrate.errors import DataError, InputError, OptionError


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No screen, and no data sets of the user's."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.delenv("MXNET_HOME", raising=False)
    datasets.new_run()


def put_images(folder: Path, zipped: bool = True, n: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Write the four files of idx format: n pictures for training, n // 2 for testing; return the first."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(n)
    kept = []
    for part, count in (("t10k", n // 2), ("train", n)):
        labels = rng.integers(0, 10, count, np.uint8)
        pictures = rng.integers(0, 60, (count, 28, 28), np.uint8)
        pictures[np.arange(count), labels] = 250  # a bright row, by which a class can be told
        for name, values in (("images-idx3", pictures), ("labels-idx1", labels)):
            head = bytes([0, 0, 8, values.ndim]) + np.array(values.shape, ">u4").tobytes()
            content = head + values.tobytes()
            path = folder / f"{part}-{name}-ubyte{'.gz' if zipped else ''}"
            path.write_bytes(gzip.compress(content) if zipped else content)
        kept = [pictures, labels]
    return kept[0], kept[1]


@pytest.mark.parametrize(
    ("place", "zipped"),
    [
        ("../home/.mxnet/datasets/fashion-mnist", True),
        ("../data/FashionMNIST/raw", False),
        ("data/fashion-mnist", True),
        ("../mx/datasets/fashion-mnist", False),
    ],
)
def test_pictures_are_read_from_the_usual_places(
    place: str, zipped: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MXNET_HOME", str(Path("../mx").resolve()))
    pictures, labels = put_images(Path(place), zipped)
    found = vision.FashionMNIST(train=True)
    assert len(found) == 40
    assert len(vision.FashionMNIST(train=False)) == 20
    x, y = found[3]
    assert (x.shape, x.dtype, type(y)) == ((28, 28, 1), np.uint8, np.int32)
    np.testing.assert_array_equal(x.asnumpy()[..., 0], pictures[3])
    xs, ys = found[0:9]
    assert xs.shape == (9, 28, 28, 1)
    assert ys.tolist() == labels[:9].tolist()
    assert capsys.readouterr().err == ""


def test_a_root_is_looked_in_first() -> None:
    put_images(Path("data/mnist"), n=8)
    put_images(Path("own"), n=12)
    assert len(vision.MNIST(root="own")) == 12
    assert len(vision.MNIST("elsewhere", train=True)) == 8


@pytest.mark.parametrize(
    "damage", [b"", b"\x00\x00\x08\x03", b"\x00\x00\x0d\x03" + bytes(12), b"<html>not found</html>"]
)
def test_broken_files_are_refused_in_one_line(damage: bytes) -> None:
    folder = Path("data/mnist")
    for zipped in (False, True):
        put_images(folder, zipped, n=8)
        name = "train-images-idx3-ubyte"
        (folder / f"{name}.gz").unlink(missing_ok=True)
        (folder / name).write_bytes(damage)
        with pytest.raises(DataError, match=r"must be an idx file.*"):
            vision.MNIST()
    (folder / name).unlink()
    (folder / f"{name}.gz").write_bytes(gzip.compress(bytes(2000))[:40])
    with pytest.raises(DataError, match="must be an idx file"):
        vision.MNIST()


def test_pictures_and_classes_must_be_as_many() -> None:
    put_images(Path("a"), n=8)
    put_images(Path("b"), n=12)
    Path("a/train-labels-idx1-ubyte.gz").write_bytes(
        Path("b/train-labels-idx1-ubyte.gz").read_bytes()
    )
    with pytest.raises(DataError, match="Got 8 and 12 instead"):
        vision.FashionMNIST("a")


def test_made_up_pictures_have_the_real_ones_shapes_and_are_said_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    train, test = vision.FashionMNIST(train=False), vision.FashionMNIST(train=False)
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "fashion-mnist: no file was found, so made-up examples" in err
    assert "~/.mxnet/datasets/fashion-mnist" in err
    x, y = train[:]
    assert (x.shape, x.dtype) == ((10_000, 28, 28, 1), np.uint8)
    assert sorted(set(y.tolist())) == list(range(10))
    np.testing.assert_array_equal(x.asnumpy(), test[:][0].asnumpy())
    means = np.stack([x.asnumpy()[y == c].mean(0).ravel() for c in range(10)])
    scores = x.asnumpy().reshape(10_000, -1) @ means.T - (means**2).sum(1) / 2
    assert 0.5 < (scores.argmax(1) == y).mean() < 0.9  # the nearest mean: neither nothing nor all


def test_batches_of_pictures_are_those_of_one_by_one() -> None:
    put_images(Path("data/fashion-mnist"))
    pictures = vision.FashionMNIST()
    changed = pictures.transform_first(vision.transforms.ToTensor())
    composed = pictures.transform_first(vision.transforms.Compose([vision.transforms.ToTensor()]))
    single = pictures.transform_first(lambda x: x.transpose((2, 0, 1)).astype("float32") / 255)
    both = pictures.transform(lambda x, y: (vision.transforms.ToTensor()(x), y))
    kept = pictures.transform_first(vision.transforms.ToTensor(), lazy=False)
    with_transform = vision.FashionMNIST(
        transform=lambda x, y: (x.transpose((2, 0, 1)).astype("float32") / 255, y)
    )
    batches = [
        next(iter(DataLoader(data, 16)))
        for data in (changed, composed, single, both, kept, with_transform)
    ]
    for X, y in batches:
        assert (X.shape, X.dtype, y.dtype) == ((16, 1, 28, 28), np.float32, np.int32)
        np.testing.assert_array_equal(X.asnumpy(), batches[0][0].asnumpy())
        np.testing.assert_array_equal(y.asnumpy(), batches[0][1].asnumpy())
    assert float(batches[0][0].max()) == np.float32(250 / 255)


def test_transforms_of_data_that_are_no_pairs() -> None:
    data = ArrayDataset(nd.arange(6)).transform_first(lambda x: x * 2)
    assert [float(x) for x in DataLoader(data, 1)] == [0, 2, 4, 6, 8, 10]
    pictures = ArrayDataset(nd.ones((4, 2, 2, 1), dtype="uint8"))
    found = next(iter(DataLoader(pictures.transform_first(vision.transforms.ToTensor()), 3)))
    assert found.shape == (3, 1, 2, 2)
    with pytest.raises(InputError, match="height, width, channels"):
        vision.transforms.ToTensor()(nd.ones((2, 2)))


def test_larger_pictures_are_refused() -> None:
    with pytest.raises(OptionError, match="convolutional networks, which are not part"):
        helpers.load_data_fashion_mnist(4, resize=96)


def test_the_noise_of_wings_from_a_file_and_made_up(capsys: pytest.CaptureFixture[str]) -> None:
    features, labels = helpers.get_data_ch7()
    assert "made-up examples" in capsys.readouterr().err
    assert (features.shape, labels.shape) == ((1500, 5), (1500,))
    weights = np.linalg.lstsq(features.asnumpy(), labels.asnumpy(), rcond=None)[0]
    rest = labels.asnumpy() - features.asnumpy() @ weights
    assert 0.2 < (rest**2).mean() / 2 < 0.3  # of the real table: 0.24
    table = np.random.default_rng(0).normal(size=(1503, 6))
    Path("../data").mkdir()
    path = Path("../data/airfoil_self_noise.dat")
    np.savetxt(path, table, delimiter="\t")
    table = (table - table.mean(0)) / table.std(0)
    np.testing.assert_allclose(helpers.get_data_ch7()[1].asnumpy(), table[:1500, -1], rtol=1e-5)
    assert capsys.readouterr().err == ""
    for content in ("", "1\t2\n", "a\tb\n"):
        path.write_text(content)
        with pytest.raises(DataError, match="rows of 6 numbers"):
            helpers.get_data_ch7()


def test_a_helper_file_or_folder_of_the_scripts_own_is_taken(
    capsys: pytest.CaptureFixture[str],
) -> None:
    script = Path("script.py")
    script.write_text("import d2lzh as d2l\nprint(d2l.get_data_ch7())\n")
    own = "from mxnet import contrib, image, nd\ndef get_data_ch7():\n    return 'my own', nd.ones(1).size\n"
    Path("d2lzh.py").write_text(own)
    assert run_script(script) == 0
    Path("d2lzh.py").unlink()
    Path("d2lzh").mkdir()
    Path("d2lzh/__init__.py").write_text("from .helpers import *\n")
    Path("d2lzh/helpers.py").write_text(own)
    assert run_script(script) == 0
    assert capsys.readouterr().out == "('my own', 1)\n" * 2
    Path("chapter").mkdir()  # as in the book's own repository, where scripts look one folder up
    below = Path("chapter/script.py")
    below.write_text("import sys\nsys.path.insert(0, '.')\n" + script.read_text())
    assert run_script(below) == 0
    assert capsys.readouterr().out == "('my own', 1)\n"
    assert "d2lzh" not in sys.modules


def test_numbers_in_lists_print_as_they_did(capsys: pytest.CaptureFixture[str]) -> None:
    Path("script.py").write_text(
        "from mxnet import nd\n"
        "print([nd.array([0.5]).asscalar(), nd.array([0.25]).mean().asscalar()], {1: nd.ones(1).asnumpy()[0]})\n"
    )
    before = np.get_printoptions()
    assert run_script(Path("script.py")) == 0
    assert capsys.readouterr().out == "[0.5, 0.25] {1: 1.0}\n"
    assert np.get_printoptions() == before


HOUSES = """
import pandas as pd
from mxnet import nd
frame = pd.DataFrame({"area": [1.0, 2.0, None], "kind": ["x", "y", None]})
numeric = frame.dtypes[frame.dtypes != "object"].index
assert list(numeric) == ["area"]
frame[numeric] = frame[numeric].apply(lambda x: (x - x.mean()) / x.std())
frame[numeric] = frame[numeric].fillna(0)
frame = pd.get_dummies(frame, dummy_na=True)
print(nd.array(frame.values).shape, nd.array(frame[:2].values.astype("float32")).dtype)
"""


def test_pandas_keeps_text_as_objects_for_the_length_of_the_run(
    capsys: pytest.CaptureFixture[str],
) -> None:
    pandas = pytest.importorskip("pandas")
    before = pandas.Series(["a"]).dtype
    Path("script.py").write_text(HOUSES)
    assert run_script(Path("script.py")) == 0
    assert capsys.readouterr().out.startswith("(3, 4) ")
    assert pandas.Series(["a"]).dtype == before
    done = whole(HOUSES)  # there pandas is imported by the script
    assert done.stdout == "(3, 4) <class 'numpy.float32'>\n", done.stderr


PAIR = [(nd.ones((2, 3)), nd.zeros(2))]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: d2l.get_fashion_mnist_labels([3, 10]), "from 0 to 9. Got 10"),
        (
            lambda: d2l.show_fashion_mnist(nd.ones((2, 3)), ["a", "b"]),
            r"2 pictures of shape \(3,\)",
        ),
        (lambda: d2l.show_fashion_mnist(nd.ones((2, 784)), ["a"]), "2 pictures .* and 1 labels"),
        (lambda: d2l.evaluate_accuracy([], lambda X: X), "minibatches. Got none"),
        (
            lambda: d2l.train_ch3(lambda X: X, PAIR, PAIR, L1Loss(), 1, 2),
            "params and lr, or a trainer",
        ),
        (
            lambda: d2l.train_ch3(lambda X: X, [], PAIR, L1Loss(), 1, 2, [], 0.1),
            "anew for each epoch",
        ),
        (lambda: d2l.train_2d(lambda a, b, c, d: (a, b)), r"two states\. Got \(-5, -2\)"),
        (lambda: d2l.corr2d(nd.ones((2, 3)), nd.ones((3, 2))), "kernel that is not larger"),
        (lambda: L1Loss()(nd.ones(2)), "L1Loss must be given predictions, labels .* Got 1 arg"),
        (lambda: Context("tpu"), "one of cpu, gpu, .* Got 'tpu'"),
        (lambda: vision.MNIST(root=3), "root must be a folder. Got 3"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(call: Any, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_a_cross_correlation_is_what_two_loops_give() -> None:
    X, K = nd.random.normal(shape=(5, 4)), nd.random.normal(shape=(2, 3))
    x, k = X.asnumpy(), K.asnumpy()
    wanted = [[(x[i : i + 2, j : j + 3] * k).sum() for j in range(2)] for i in range(4)]
    np.testing.assert_allclose(d2l.corr2d(X, K).asnumpy(), wanted, rtol=1e-5)
    wide = [nd.array(a, dtype="float64") for a in (x, k)]
    assert nd.check_gradient(d2l.corr2d, *wide) < 1e-7


def test_a_context_is_a_scope() -> None:
    with cpu() as ctx:
        assert nd.ones(2, ctx=ctx).context == Context(ctx) == cpu(0)
    with pytest.raises(OptionError, match="Got gpu"), gpu():
        pass


def test_every_picture_of_a_section_is_one_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    Path("script.py").write_text(
        "import d2lzh as d2l\n"
        "for _ in range(2):\n    d2l.set_figsize()\n    d2l.plt.plot([1, 2])\n    d2l.plt.plot([2, 1])\n"
        "d2l.show_trace_2d(lambda x, y: x * x + y * y, [(-5, -2), (0, 0)])\n"
        "d2l.semilogy([1, 2], [1, 2], 'x', 'y')\n"
    )
    assert run_script(Path("script.py")) == 0
    assert capsys.readouterr().err.count("Saved") == 4


def whole(script: str) -> subprocess.CompletedProcess[str]:
    """The whole command, in a process of its own."""
    Path("script.py").write_text(script)
    command = [sys.executable, "-m", "learnrate", "run", "script.py"]
    return subprocess.run(command, capture_output=True, text=True)


def test_the_whole_command_trains_softmax_regression() -> None:
    put_images(Path("../home/.mxnet/datasets/fashion-mnist"), n=300)
    done = whole(
        "import d2lzh as d2l\nfrom mxnet import gluon, init, image\n"
        "from mxnet.gluon import loss as gloss, nn\n"
        "train_iter, test_iter = d2l.load_data_fashion_mnist(32)\n"
        "net = nn.Sequential()\nnet.add(nn.Dense(10))\nnet.initialize(init.Normal(sigma=0.01))\n"
        "trainer = gluon.Trainer(net.collect_params(), 'sgd', {'learning_rate': 0.1})\n"
        "loss = gloss.SoftmaxCrossEntropyLoss()\n"
        "d2l.train_ch3(net, train_iter, test_iter, loss, 3, 32, None, None, trainer)\n"
    )
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    form = r"epoch \d, loss \d\.\d{4}, train acc \d\.\d{3}, test acc \d\.\d{3}"
    assert len(lines) == 3
    assert all(re.fullmatch(form, line) for line in lines)


def test_the_whole_command_says_that_examples_are_made_up() -> None:
    done = whole("import d2lzh\nprint(d2lzh.get_data_ch7()[0].shape, [d2lzh.nd])\n")
    assert done.returncode == 2
    said, refused = done.stderr.splitlines()
    assert said.startswith("airfoil_self_noise.dat: no file was found, so made-up examples")
    assert refused.startswith("learnrate: script.py, line 2: d2lzh.nd is not part of learnrate")
