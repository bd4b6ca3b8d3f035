"""The page "Coming from MXNet" says what is so, in both languages."""

from __future__ import annotations

import random
import re
from pathlib import Path
from types import ModuleType

import pytest

from learnrate.compat import d2lzh
from learnrate.compat import mxnet as mx
from learnrate.compat.ipython import display
from learnrate.compat.script import run_script

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "docs" / "mxnet.md", ROOT / "docs" / "mxnet.zh-CN.md"]

MODULES: dict[str, ModuleType] = {
    "mxnet": mx,
    "mxnet.nd": mx.nd,
    "mxnet.nd.random": mx.nd.random,
    "mxnet.autograd": mx.autograd,
    "mxnet.init": mx.init,
    "mxnet.optimizer": mx.optimizer,
    "mxnet.gluon": mx.gluon,
    "mxnet.gluon.nn": mx.gluon.nn,
    "mxnet.gluon.loss": mx.gluon.loss,
    "mxnet.gluon.data": mx.gluon.data,
    "mxnet.gluon.data.vision": mx.gluon.data.vision,
    "mxnet.gluon.data.vision.transforms": mx.gluon.data.vision.transforms,
    "mxnet.gluon.utils": mx.gluon.utils,
    "d2lzh": d2lzh,
    "IPython.display": display,
}


def table() -> list[str]:
    """The rows of the table of covered names."""
    names = {module: list(found.__all__) for module, found in MODULES.items()}
    names["NDArray"] = [name for name in dir(mx.nd.NDArray) if not name.startswith("_")]
    return [
        f"| `{module}` | {', '.join(sorted(found, key=str.lower))} |"
        for module, found in names.items()
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_table_has_every_name(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert rows == table(), "the table must be:\n" + "\n".join(table())


LOSS = re.compile(r"^lr (\S+), epoch (\d), loss (\S+)$", re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_losses_are_those_of_the_note_s_script(
    page: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    random.seed(0)  # the note shuffles with Python's own random numbers
    assert run_script(ROOT / "tests" / "compat" / "scripts" / "note.py") == 0
    ours = LOSS.findall(capsys.readouterr().out)
    shown = LOSS.findall(page.read_text(encoding="utf-8"))
    assert len(shown) == 12
    for (lr, epoch, loss), (shown_lr, shown_epoch, shown_loss) in zip(ours, shown, strict=True):
        assert (lr, epoch) == (shown_lr, shown_epoch)
        assert float(loss) == pytest.approx(float(shown_loss), rel=0.2)
