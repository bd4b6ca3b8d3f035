"""The notes by name; serves one, opens a copy to edit, and writes it out as a page or a Jupyter notebook."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from learnrate._extras import require
from learnrate._files import check_output, write_atomically
from learnrate.book.note.catalogue import note_texts
from learnrate.errors import not_one_of

__all__ = [
    "NOTES",
    "copy_to_edit",
    "notebook",
    "serve",
    "server_command",
    "titles",
]

NOTES = ("linear", "softmax", "perceptron", "momentum")
"""Their names, in the order in which they are to be read; the first is opened unless another is named."""

_OPENED = {
    "zh": "笔记在浏览器中打开，地址见下；在这里按 Ctrl-C 结束。",
    "en": "The note opens in your browser, at the address below; Ctrl-C here ends it.",
}


def titles(lang: str) -> dict[str, str]:
    """Name to title of every note."""
    return {name: note_texts(lang, name)("title") for name in NOTES}


def notebook(name: str) -> Path:
    """The file of a note.

    Raises
    ------
    OptionError
        For a name that no note has.
    """
    if name not in NOTES:
        raise not_one_of("note", name, NOTES)
    return Path(__file__).parent / name / "notebook.py"


def server_command(
    file: Path, *, lang: str, edit: bool, port: int | None, browser: bool
) -> list[str]:
    """The command that serves a notebook on this machine only, to those who know its token."""
    return [
        *(sys.executable, "-m", "marimo", "edit" if edit else "run", str(file)),
        *("--host", "127.0.0.1", "--token", "--no-sandbox"),
        *(() if port is None else ("--port", str(port))),
        *(() if browser else ("--headless",)),
        *("--", "--lang", lang),
    ]


def serve(
    name: str = NOTES[0],
    *,
    lang: str,
    edit: bool = False,
    port: int | None = None,
    browser: bool = True,
) -> int:
    """Serve a note until it is interrupted.

    Parameters
    ----------
    name : str
        One of `NOTES`.
    lang : {"zh", "en"}
        Language to start with.
    edit : bool
        Open a copy in the working directory, to change it.
    port : int, optional
        A free one unless given.
    browser : bool
        Open a browser.

    Raises
    ------
    OptionError
        For a name that no note has.
    MissingExtraError
        Without marimo.
    """
    file = notebook(name)
    require("marimo", extra="note", purpose="the living notes")
    if edit:
        file = copy_to_edit(Path.cwd(), name)
    command = server_command(file, lang=lang, edit=edit, port=port, browser=browser)
    print(_OPENED[lang], flush=True)
    if os.name == "posix":  # one process: who ends this one ends the server
        os.execv(command[0], command)
    return subprocess.call(command)


def copy_to_edit(folder: Path, name: str = NOTES[0]) -> Path:
    """Copy a note's file into a folder, unless a copy is there already; that is the reader's own."""
    path = folder / ("learnrate_note.py" if name == NOTES[0] else f"learnrate_note_{name}.py")
    if not path.exists():
        check_output(path, (".py",))
        write_atomically(path, lambda temporary: shutil.copyfile(notebook(name), temporary))
    return path
