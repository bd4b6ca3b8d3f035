"""``learnrate run`` as whole commands."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Done

Run = Callable[..., Done]

SCRIPTS = Path(__file__).parents[1] / "compat" / "scripts"
COMMAND = [sys.executable, "-m", "learnrate", "run"]

# What MXNet 1.9.1 printed for the note's script after the third epoch, by learning rate.
MXNET = {"0.01": 0.044, "0.02": 0.000165, "0.03": 0.000051, "0.04": 0.000051}


@pytest.fixture(autouse=True)
def screenless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("MPLBACKEND", raising=False)


@pytest.fixture
def environment() -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parents[2] / "src"),
        "PYTHONWARNINGS": "error",
    }


def test_the_notes_script_prints_mxnets_losses_and_saves_its_picture(
    environment: dict[str, str], tmp_path: Path
) -> None:
    done = subprocess.run(
        [*COMMAND, str(SCRIPTS / "note.py")],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=tmp_path,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    printed = re.findall(r"^lr (\S+), epoch (\d), loss (\S+)$", done.stdout, re.MULTILINE)
    assert len(printed) == len(done.stdout.splitlines()) == 12
    last = {lr: float(loss) for lr, epoch, loss in printed if epoch == "3"}
    for lr, loss in MXNET.items():
        assert loss / 2 < last[lr] < loss * 2, lr
    assert done.stderr == "Saved note-1.png\n"
    assert [path.name for path in tmp_path.iterdir()] == ["note-1.png"]
    from matplotlib import image

    picture = image.imread(tmp_path / "note-1.png")
    assert picture.shape[0] > 500
    assert picture.shape[1] > 800
    assert (picture[:, :, 0] < 0.5).mean() > 0.005  # ink


def numbers(text: str, name: str) -> list[float]:
    return [float(value) for value in re.findall(rf"{name}:? ([\d.]+)", text)]


@pytest.mark.parametrize("script", ["softmax_scratch", "softmax_gluon"])
def test_softmax_regression_learns(script: str, learnrate: Run) -> None:
    done = learnrate("run", SCRIPTS / f"{script}.py")
    assert (done.code, done.err) == (0, "")
    losses = numbers(done.out, "loss")
    assert len(losses) == 6
    assert sorted(losses, reverse=True) == losses
    assert losses[-1] < 0.1
    assert numbers(done.out, "test acc")[-1] > 0.95


@pytest.mark.parametrize("script", ["mlp_scratch", "mlp_gluon"])
def test_perceptrons_learn_what_no_line_separates(script: str, learnrate: Run) -> None:
    done = learnrate("run", SCRIPTS / f"{script}.py")
    assert (done.code, done.err) == (0, "")
    assert numbers(done.out, "test acc")[-1] > 0.8
    if script == "mlp_gluon":  # saved, and read by another network
        trained, read_again = numbers(done.out, "test acc")[-2:]
        assert trained == read_again


def test_concise_linear_regression_finds_the_weights(learnrate: Run) -> None:
    done = learnrate("run", SCRIPTS / "linear_gluon.py")
    assert (done.code, done.err) == (0, "")
    assert numbers(done.out, "loss")[-1] < 1e-4
    weights = re.search(r"\[\[\s*(\S+)\s+(\S+?)\s*\]\]", done.out)
    assert weights is not None
    assert [float(weights[1]), float(weights[2])] == pytest.approx([2, -3.4], abs=0.01)
    assert "<NDArray 1x2 @cpu(0)>" in done.out


def test_without_a_seed_it_prints_the_same_every_time(
    environment: dict[str, str], tmp_path: Path
) -> None:
    script = tmp_path / "it.py"
    script.write_text("from mxnet import nd\nprint(nd.random.normal(shape=(3,)))\n")
    outputs = {
        subprocess.run(
            [*COMMAND, str(script)], capture_output=True, text=True, timeout=60, env=environment
        ).stdout
        for _ in range(2)
    }
    assert len(outputs) == 1
    assert "NDArray 3" in outputs.pop()


def test_options_after_the_script_are_the_scripts(learnrate: Run) -> None:
    Path("it.py").write_text("import sys\nprint(sys.argv)\n")
    typed = ["it.py", "--lr", "0.1", "-h", "--help", "--version", "--", "-x=3", "--json", "-"]
    done = learnrate("run", *typed)
    assert (done.code, done.err) == (0, "")
    assert done.out == f"{typed}\n"


@pytest.mark.parametrize(
    ("statement", "code", "err"),
    [
        ("sys.exit()", 0, ""),
        ("sys.exit(7)", 7, ""),
        ("raise KeyboardInterrupt", 130, ""),
        ("raise MemoryError('all gone')", 1, "MemoryError: all gone\n"),
        ("1 / 0", 1, "ZeroDivisionError: division by zero\n"),
        ("nd.zeros(2) + nd.zeros(3)", 1, "would fit.\n"),
        ("assert sys.argv == 3", 1, "AssertionError\n"),
        ("nd.Pooling()", 2, "nor.py"),
    ],
)
def test_how_a_script_ends_is_how_the_command_ends(
    statement: str, code: int, err: str, learnrate: Run
) -> None:
    Path("nor.py").write_text(f"import sys\nfrom mxnet import nd\nprint('began')\n{statement}\n")
    done = learnrate("run", "nor.py")
    assert done.code == code
    assert done.out == "began\n"
    if code == 1:
        assert done.err.startswith("Traceback (most recent call last):\n  File ")
        assert done.err.count("  File ") == 1
        assert "nor.py" in done.err
        assert done.err.endswith(err)
    elif code == 2:
        assert done.err.startswith(
            "learnrate: nor.py, line 4: nd.Pooling is not part of learnrate, which has"
        )
        assert done.err.count("\n") == 1
    else:
        assert done.err == err


def test_a_message_in_sys_exit_is_printed(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "it.py").write_text("import sys\nsys.exit('no data')\n")
    done = subprocess.run(
        [*COMMAND, "it.py"], capture_output=True, text=True, cwd=tmp_path, env=environment
    )
    assert (done.returncode, done.stderr) == (1, "no data\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.py"], "'nowhere.py' instead: No such file"),
        (["."], "directory"),
        ([], "Missing argument 'SCRIPT'"),
        (["--lr", "0.1", "it.py"], "No such option"),
    ],
)
def test_no_such_script(arguments: list[str], message: str, learnrate: Run) -> None:
    done = learnrate("run", *arguments)
    assert done.code == 2
    assert message in done.err
    assert done.err.count("\n") == 1


def test_ctrl_c(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "it.py").write_text(
        "import time\nfrom mxnet import nd\nprint('began', flush=True)\n"
        "while True:\n    nd.ones(3).sum()\n    time.sleep(0.01)\n"
    )
    process = subprocess.Popen(
        [*COMMAND, "it.py"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=environment,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "began\n"
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, err) == (130, "")


def test_a_closed_pipe_ends_quietly(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "it.py").write_text("for i in range(100000):\n    print(i)\n")
    command = " ".join(COMMAND) + " it.py | head -n 1"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, cwd=tmp_path, env=environment
    )
    assert (done.stdout, done.stderr) == ("0\n", "")


def test_a_script_that_draws_nothing_loads_no_matplotlib(
    environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "it.py").write_text(
        "import sys\nfrom mxnet import autograd, gluon, nd\nimport d2lzh\n"
        "from IPython import display\n"
        "print({'matplotlib', 'polars', 'scipy', 'numba'} & set(sys.modules))\n"
    )
    done = subprocess.run(
        [*COMMAND, "it.py"], capture_output=True, text=True, cwd=tmp_path, env=environment
    )
    assert done.stdout == "set()\n", done.stderr
