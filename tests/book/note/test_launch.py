from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from learnrate.book.note import launch
from learnrate.errors import MissingExtraError, OptionError, OutputError


def test_it_is_served_on_this_machine_only_with_a_token() -> None:
    command = launch.server_command(
        launch.NOTEBOOK, lang="zh", edit=False, port=2718, browser=False
    )
    assert command[1:4] == ["-m", "marimo", "run"]
    assert command[command.index("--host") + 1] == "127.0.0.1"
    assert command[command.index("--port") + 1] == "2718"
    assert {"--token", "--headless"} <= set(command)
    assert command[-3:] == ["--", "--lang", "zh"]
    edit = launch.server_command(launch.NOTEBOOK, lang="en", edit=True, port=None, browser=True)
    assert edit[3] == "edit"
    assert not {"--port", "--headless"} & set(edit)
    assert {"--token", "127.0.0.1"} <= set(edit)


def test_editing_opens_a_copy_and_keeps_the_readers_own(tmp_path: Path) -> None:
    copy = launch.copy_to_edit(tmp_path)
    assert copy.parent == tmp_path
    assert copy.read_bytes() == launch.NOTEBOOK.read_bytes()
    copy.write_text("mine")
    assert launch.copy_to_edit(tmp_path).read_text() == "mine"


def test_the_process_becomes_the_server(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[list[str]] = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "execv", lambda path, command: ran.append(command))
    monkeypatch.setattr(subprocess, "call", lambda command: 0)
    launch.serve(lang="en", edit=True, port=2719, browser=False)
    assert str(tmp_path / "learnrate_note.py") in ran[0]
    launch.serve(lang="zh")
    assert capsys.readouterr().out.count("Ctrl-C") == 2  # said before the server takes over


def test_bad_input_is_one_line() -> None:
    with pytest.raises(OptionError, match=r"--lang must be zh or en. Got 'fr'"):
        launch.as_language("fr")
    with pytest.raises(OutputError, match=r"must end in .html, .ipynb. Got 'note.htm'"):
        launch.export(Path("note.htm"), lang="en")


def test_without_marimo_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "marimo", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'learnrate\[note\]'"):
        launch.serve(lang="en")
    with pytest.raises(MissingExtraError):
        launch.export(tmp_path / "note.html", lang="en")


def test_the_notebook_is_well_formed() -> None:
    command = [sys.executable, "-m", "marimo", "check", "--strict", str(launch.NOTEBOOK)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_notebook_runs_as_a_script(lang: str, tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error::RuntimeWarning", str(launch.NOTEBOOK), "--lang", lang]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_it_is_written_out_as_a_page_and_as_a_jupyter_notebook(tmp_path: Path) -> None:
    page = launch.export(tmp_path / "note.html", lang="zh").read_text(encoding="utf-8")
    assert "lr-plot" in page
    notebook = json.loads(launch.export(tmp_path / "note.ipynb", lang="zh").read_text("utf-8"))
    text = json.dumps(notebook, ensure_ascii=False)
    assert "学习率：一篇会动的笔记" in text
    assert "Traceback" not in text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["note.html", "note.ipynb"]
    assert not (launch.NOTEBOOK.parent / "__marimo__").exists()
