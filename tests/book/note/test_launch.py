from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from learnrate._translation import as_language
from learnrate.book.note import launch
from learnrate.errors import MissingExtraError, OptionError


def test_it_is_served_on_this_machine_only_with_a_token() -> None:
    command = launch.server_command(
        launch.notebook("linear"), lang="zh", edit=False, port=2718, browser=False
    )
    assert command[1:4] == ["-m", "marimo", "run"]
    assert command[command.index("--host") + 1] == "127.0.0.1"
    assert command[command.index("--port") + 1] == "2718"
    assert {"--token", "--headless"} <= set(command)
    assert command[-3:] == ["--", "--lang", "zh"]
    edit = launch.server_command(
        launch.notebook("linear"), lang="en", edit=True, port=None, browser=True
    )
    assert edit[3] == "edit"
    assert not {"--port", "--headless"} & set(edit)
    assert {"--token", "127.0.0.1"} <= set(edit)


def test_editing_opens_a_copy_and_keeps_the_readers_own(tmp_path: Path) -> None:
    copy = launch.copy_to_edit(tmp_path)
    assert copy.parent == tmp_path
    assert copy.read_bytes() == launch.notebook("linear").read_bytes()
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


def test_each_note_has_a_copy_of_its_own_name(tmp_path: Path) -> None:
    copy = launch.copy_to_edit(tmp_path, "softmax")
    assert copy.name == "learnrate_note_softmax.py"
    assert copy.read_bytes() == launch.notebook("softmax").read_bytes()


def test_bad_input_is_one_line() -> None:
    with pytest.raises(OptionError, match=r"lang must be one of en, zh. Got 'fr'"):
        as_language("fr")
    with pytest.raises(
        OptionError, match=r"note must be one of linear, .* Did you mean 'softmax'\?"
    ):
        launch.serve("softmx", lang="en")


def test_the_notes_are_listed() -> None:
    assert list(launch.titles("en")) == list(launch.NOTES)
    assert launch.titles("zh")["momentum"] == "动量与 Adam"


def test_without_marimo_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "marimo", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'learnrate\[note\]'"):
        launch.serve(lang="en")


def test_the_notebooks_are_well_formed() -> None:
    files = [str(launch.notebook(name)) for name in launch.NOTES]
    command = [sys.executable, "-m", "marimo", "check", "--strict", *files]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
