"""What a script finds while it runs, and what is left of it afterwards."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import pytest

import learnrate.autograd
import learnrate.nd
from learnrate.compat import inline, mxnet
from learnrate.compat.script import _is_inner, run_script
from learnrate.errors import InputError, MissingModuleError, MissingNameError


@pytest.fixture(autouse=True)
def screenless(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.chdir(tmp_path)


def write(text: str, name: str = "script.py") -> Path:
    path = Path(name)
    path.write_text(text, encoding="utf-8")
    return path


IMPORTS = """
import mxnet
import mxnet as mx
import mxnet.ndarray as F
import mxnet.gluon.nn
import mxnet.nd.random
from mxnet import autograd, gluon, init, initializer, nd
from mxnet.gluon import data as gdata, loss as gloss, nn, utils as gutils
from mxnet.gluon.nn import Dense
from mxnet.nd import NDArray, zeros
from mxnet import *
import d2lzh as d2l
import d2lzh
from IPython import display
from IPython.display import clear_output
"""


def test_every_way_of_importing_finds_learnrates_modules(
    capsys: pytest.CaptureFixture[str],
) -> None:
    checks = """
import learnrate
assert nd is F is mx.nd is learnrate.nd and autograd is learnrate.autograd
assert mxnet is mx and mxnet.gluon.nn is nn and Dense is nn.Dense and init is initializer
assert mx.random is nd.random and isinstance(zeros(2), NDArray)
assert mx.__version__.startswith('1.')
display.set_matplotlib_formats('svg'); display.display('shown'); clear_output(wait=True)
print('all found')
"""
    assert run_script(write(IMPORTS + checks)) == 0
    assert capsys.readouterr().out == "shown\nall found\n"


def test_afterwards_everything_is_as_it_was() -> None:
    modules, finders, path, argv = set(sys.modules), sys.meta_path[:], sys.path[:], sys.argv
    main, environment = sys.modules["__main__"], dict(os.environ)
    specs = learnrate.nd.__spec__, learnrate.autograd.__spec__
    assert run_script(write(IMPORTS + "import sys\nsys.argv.append('x')\n"), ["a"]) == 0
    assert run_script(write(IMPORTS + "1 / 0")) == 1
    with pytest.raises(SystemExit):
        run_script(write(IMPORTS + "raise SystemExit(3)"))
    foreign = {
        name
        for name in set(sys.modules) - modules
        if not name.startswith(("learnrate", "matplotlib", "mpl_toolkits"))
    }
    assert not {name for name in foreign if name.startswith(("mxnet", "d2lzh", "IPython"))}
    assert (sys.meta_path, sys.path, sys.argv) == (finders, path, argv)
    assert sys.modules["__main__"] is main
    assert dict(os.environ) == environment
    assert (learnrate.nd.__spec__, learnrate.autograd.__spec__) == specs
    assert specs[0] is not None
    assert specs[0].name == "learnrate.nd"
    assert importlib.util.find_spec("mxnet") is None


def test_an_mxnet_that_was_imported_before_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    real = type(sys)("mxnet")
    monkeypatch.setitem(sys.modules, "mxnet", real)
    assert run_script(write("import mxnet\nassert mxnet.nd.ones(2).size == 2")) == 0
    assert sys.modules["mxnet"] is real


def test_the_script_is_main(capsys: pytest.CaptureFixture[str]) -> None:
    Path("folder").mkdir()
    Path("folder/beside.py").write_text("from mxnet import nd\nvalue = nd.ones(3).sum()\n")
    script = write(
        "import sys, os, __main__\n"
        "from beside import value\n"
        "x = 5\n"
        "print(__name__, __main__.x, float(value), sys.argv)\n"
        "print(os.path.isabs(__file__), os.path.samefile(sys.path[0], 'folder'))\n",
        "folder/it.py",
    )
    assert run_script(script, ["--lr", "0.1"]) == 0
    assert capsys.readouterr().out == (
        "__main__ 5 3.0 ['folder/it.py', '--lr', '0.1']\nTrue True\n"
    )


def test_what_is_missing_is_reported_with_file_line_and_name() -> None:
    cases = {
        "from mxnet import nd\n\nnd.Convolution()": (r"script\.py, line 3: nd\.Convolution is not"),
        "import mxnet as mx\nmx.nd.arrange(3)": r"line 2: nd\.arrange .*Did you mean 'arange'",
        "from mxnet import nd\nnd.ones(2).arcsin()": r"line 2: NDArray\.arcsin is not .* use\.$",
        "from mxnet.gluon import nn\nnn.Conv2D(3, 3)": r"line 2: gluon\.nn\.Conv2D is not part",
        "import d2lzh as d2l\nd2l.load_data_jay_lyrics()": r"line 2: d2lzh\.load_data_jay_lyrics is not",
        "x = 1\n\nfrom mxnet import autogrd": r"line 3: mxnet\.autogrd is not .* mean 'autograd'",
        "from mxnet.gluon import rnn": r"line 1: mxnet\.gluon\.rnn is not part of .* use\.$",
        "from mxnet.gluon.nn import Dense, Dens": r"line 1: mxnet\.gluon\.nn\.Dens is .* mean 'Dense'",
        "from mxnet.gluon.nn import Dense, Conv2D\n\nConv2D(3, 3)": r"line 3: mxnet\.gluon\.nn\.Conv2D is",
        "from mxnet.gluon.nn import Conv2D\nisinstance(3, Conv2D)": r"line 2: mxnet\.gluon\.nn\.Conv2D",
        "from d2lzh import load_data_jay_lyrics as f\nf()": r"line 2: d2lzh\.load_data_jay_lyrics is",
        "import mxnet.gluon.model_zoo.vision as v\nv.a()": r"line 2: mxnet\.gluon\.model_zoo\.vision\.a is",
        "def f():\n    from mxnet import npx\n    npx.set_np()\nf()": r"line 3: mxnet\.npx\.set_np is not",
        "from mxnet.nd import Convolution as C\nC(3)": r"line 2: mxnet\.nd\.Convolution is not part",
        "from mxnet.image import ImageIter\nclass A(ImageIter): pass": r"line 2: mxnet\.image\.ImageIter",
    }
    for text, message in cases.items():
        with pytest.raises((MissingNameError, MissingModuleError), match=message):
            run_script(write(text))


def test_imports_that_are_not_used_do_no_harm(capsys: pytest.CaptureFixture[str]) -> None:
    text = (
        "import mxnet as mx\nfrom mxnet import contrib, image, nd, npx\n"
        "from mxnet.contrib import text\nimport mxnet.symbol as sym\nfrom mxnet.nd import Convolution\n"
        "from mxnet.gluon.model_zoo import vision\nfrom mxnet.gluon.nn import Conv2D, Dense\n"
        "from mxnet.gluon.loss import CTCLoss, L2Loss\nfrom mxnet.lr_scheduler import PolyScheduler\n"
        "print(nd.ones(2).shape, L2Loss)\n"
    )
    for _ in range(2):
        assert run_script(write(text)) == 0
        assert capsys.readouterr().out.startswith("(2,) <class")
        assert not hasattr(learnrate.nd, "Convolution")
        assert not hasattr(mxnet.gluon.nn, "Conv2D")
        assert not hasattr(mxnet.gluon.nn, "__path__")
        assert not hasattr(mxnet, "image")
        assert not [name for name in sys.modules if name.endswith(("Convolution", "mxnet.image"))]


def test_a_script_can_ask_what_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    script = write(
        "from mxnet import nd, gluon\n"
        "try:\n    from mxnet.gluon import rnn\nexcept ImportError:\n    print('no rnn')\n"
        "print(hasattr(nd, 'Convolution'), hasattr(gluon.nn, 'Dense'))\n"
    )
    assert run_script(script) == 0
    assert capsys.readouterr().out == "no rnn\nFalse True\n"


def test_a_traceback_shows_the_script_only(capsys: pytest.CaptureFixture[str]) -> None:
    script = write(
        "from mxnet import nd\n\n\ndef net(X):\n    return nd.dot(X, X)\n\n\nnet(nd.ones((2, 3)))\n"
    )
    assert run_script(script) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    places = [line.strip().split(",")[:2] for line in lines if line.startswith("  File")]
    assert places == [['File "script.py"', " line 8"], ['File "script.py"', " line 5"]]
    assert lines[-1].startswith("learnrate.errors.InputError: dot must be given")


def test_a_script_whose_folder_is_named_like_learnrate_is_no_part_of_it() -> None:
    folder = Path(f"{learnrate.__path__[0]}-notes")
    assert not _is_inner(str(folder / "net.py"))
    assert _is_inner(learnrate.nd.__file__)


def test_a_chain_of_errors_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    script = write(
        "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise KeyError('a') from e"
    )
    assert run_script(script) == 1
    err = capsys.readouterr().err
    assert "ZeroDivisionError: division by zero" in err
    assert "direct cause" in err
    assert err.endswith("KeyError: 'a'\n")
    assert "learnrate" not in err


def test_a_syntax_error_is_the_scripts(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_script(write("x = 1\nprint 'old'\n")) == 1
    err = capsys.readouterr().err
    assert 'File "script.py", line 2' in err
    assert "SyntaxError" in err


def test_scripts_that_are_none() -> None:
    with pytest.raises(InputError, match=r"'nowhere\.py' instead: No such file"):
        run_script(Path("nowhere.py"))
    with pytest.raises(InputError, match="directory"):
        run_script(Path())
    with pytest.raises(InputError, match="nbconvert"):
        run_script(write("{}", "note.ipynb"))
    Path("latin.py").write_bytes(b"# \xff\xfe\n")
    with pytest.raises(InputError, match="UTF-8"):
        run_script(Path("latin.py"))


@pytest.mark.parametrize("start", [b"# -*- coding: gbk -*-\r\n", b"\xef\xbb\xbf"])
def test_codings(start: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    coding = "gbk" if b"gbk" in start else "utf-8"
    Path("script.py").write_bytes(start + "print('损失')\r\n".encode(coding))
    assert run_script(Path("script.py")) == 0
    assert capsys.readouterr().out == "损失\n"


def test_every_run_starts_with_the_same_random_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    script = write("from mxnet import nd\nprint(nd.random.uniform(shape=3))")
    learnrate.nd.random.seed(5)
    expected = learnrate.nd.random.uniform(shape=(2,)).asnumpy()
    learnrate.nd.random.seed(5)
    outputs = []
    for _ in range(2):
        assert run_script(script) == 0
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1]
    assert learnrate.nd.random.uniform(shape=(2,)).asnumpy().tolist() == expected.tolist()


# Notebooks and pictures


def test_an_exported_notebook_shows_its_figures(capsys: pytest.CaptureFixture[str]) -> None:
    for magic in ("%matplotlib inline", "get_ipython().run_line_magic('matplotlib', 'inline')"):
        script = write(
            f"# coding: utf-8\n{magic}\nfrom matplotlib import pyplot as plt\nplt.plot([1])"
        )
        assert run_script(script) == 0
        assert capsys.readouterr().err == "Saved script-1.png\n"
        assert Path("script-1.png").read_bytes().startswith(b"\x89PNG")
        Path("script-1.png").unlink()


def test_every_figure_that_is_shown_is_saved_once(capsys: pytest.CaptureFixture[str]) -> None:
    script = write(
        "from matplotlib import pyplot as plt\n"
        "plt.plot([1, 2]); plt.figure(); plt.plot([2, 1]); plt.show()\n"
        "plt.plot([3]); plt.show(block=True); plt.show()\n"
        "assert not plt.get_fignums()\n"
        "plt.plot([4])\n",  # neither shown nor saved, as with a screen
        "two.py",
    )
    assert run_script(script) == 0
    assert sorted(path.name for path in Path().glob("*.png")) == [f"two-{i}.png" for i in (1, 2, 3)]
    assert capsys.readouterr().err == "Saved two-1.png\nSaved two-2.png\nSaved two-3.png\n"


def test_the_books_helpers(capsys: pytest.CaptureFixture[str]) -> None:
    script = write(
        "import d2lzh as d2l\n"
        "from mxnet import autograd, nd\n"
        "d2l.set_figsize((5, 3)); d2l.use_svg_display()\n"
        "X = nd.random.normal(shape=(100, 2)); y = nd.dot(X, nd.array([[1], [2]]))[:, 0]\n"
        "w = nd.zeros((2, 1)); b = nd.zeros(1); w.attach_grad(); b.attach_grad()\n"
        "losses = []\n"
        "for epoch in range(10):\n"
        "    for A, c in d2l.data_iter(10, X, y):\n"
        "        with autograd.record():\n"
        "            l = d2l.squared_loss(d2l.linreg(A, w, b), c)\n"
        "        l.backward()\n"
        "        d2l.sgd([w, b], 0.1, 10)\n"
        "    losses.append(d2l.squared_loss(d2l.linreg(X, w, b), y).mean().asscalar())\n"
        "assert losses[-1] < 1e-6, losses\n"
        "d2l.semilogy(range(10), losses, 'epoch', 'loss', range(10), losses, ['train', 'test'])\n"
        "d2l.plt.plot([1])\n"
    )
    assert run_script(script) == 0
    assert capsys.readouterr().err == "Saved script-1.png\nSaved script-2.png\n"


def test_the_books_order_follows_the_seed(capsys: pytest.CaptureFixture[str]) -> None:
    script = write(
        "import d2lzh, mxnet as mx\n"
        "x = mx.nd.arange(6)\n"
        "for seed in (1, 1, 2):\n"
        "    mx.random.seed(seed)\n"
        "    print([y.asnumpy().tolist() for X, y in d2lzh.data_iter(4, x, x)])\n"
    )
    assert run_script(script) == 0
    first, again, other = capsys.readouterr().out.splitlines()
    assert first == again != other


def test_an_ipython_that_is_installed_is_kept_and_completed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    package = Path("site/IPython")
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("version_info = (9, 1)\nget_ipython = lambda: None\n")
    (package / "display.py").write_text("def display(*objects):\n    print('real', *objects)\n")
    monkeypatch.syspath_prepend(str(package.parent.absolute()))
    monkeypatch.setattr(sys, "modules", sys.modules)
    script = write(
        "from IPython import display\n"
        "display.set_matplotlib_formats('svg')\n"
        "display.display(3)\n"
        "from matplotlib import pyplot as plt\n"
        "plt.plot([1])\n"
    )
    try:
        assert run_script(script) == 0
    finally:
        for name in ("IPython.display", "IPython"):
            sys.modules.pop(name, None)
    streams = capsys.readouterr()
    assert streams.out == "real 3\n"
    assert streams.err == "Saved script-1.png\n"


@pytest.mark.parametrize(
    ("platform", "environment", "toolkit", "screen"),
    [
        ("linux", {}, True, False),
        ("linux", {"DISPLAY": ":0"}, True, True),
        ("linux", {"DISPLAY": ":0"}, False, False),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, True, True),
        ("linux", {"DISPLAY": ":0", "MPLBACKEND": "Agg"}, True, False),
        ("linux", {"MPLBACKEND": "svg"}, False, True),  # the user's choice
        ("darwin", {}, False, True),
        ("win32", {"MPLBACKEND": "agg"}, True, False),
    ],
)
def test_whether_there_is_a_screen(
    platform: str,
    environment: dict[str, str],
    toolkit: bool,
    screen: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.platform", platform)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object() if toolkit else None)
    assert inline.has_screen() is screen


def test_with_a_screen_figures_are_left_to_matplotlib(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MPLBACKEND", "svg")
    script = write("import os\nassert os.environ['MPLBACKEND'] == 'svg'")
    assert run_script(script) == 0, capsys.readouterr().err
