"""Serves the note, opens a copy to edit, and writes it out: commands of marimo, ready to run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from learnrate._extras import require
from learnrate._files import check_output, write_atomically
from learnrate.book.language import LANGUAGES, default_language
from learnrate.errors import OptionError, OutputError, did_you_mean

__all__ = [
    "EXPORTS",
    "NOTEBOOK",
    "as_language",
    "copy_to_edit",
    "export",
    "serve",
    "server_command",
]

NOTEBOOK = Path(__file__).with_name("notebook.py")
EXPORTS = {".html": ("html", "--no-include-code"), ".ipynb": ("ipynb", "--include-outputs")}
"""Suffix to marimo's export and its option."""

_COPY = "learnrate_note.py"
_OPENED = {
    "zh": "笔记在浏览器中打开，地址见下；在这里按 Ctrl-C 结束。",
    "en": "The note opens in your browser, at the address below; Ctrl-C here ends it.",
}


def as_language(lang: str | None) -> str:
    """``"zh"`` or ``"en"``; the system's unless given.

    Raises
    ------
    OptionError
        For any other.
    """
    known = list(LANGUAGES.values())
    if lang is None:
        return default_language()
    if lang not in known:
        raise OptionError(
            f"--lang must be {' or '.join(known)}. Got {lang!r} instead."
            + did_you_mean(lang, known)
        )
    return lang


def server_command(
    notebook: Path, *, lang: str, edit: bool, port: int | None, browser: bool
) -> list[str]:
    """The command that serves a notebook on this machine only, to those who know its token."""
    return [
        *(sys.executable, "-m", "marimo", "edit" if edit else "run", str(notebook)),
        *("--host", "127.0.0.1", "--token", "--no-sandbox"),
        *(() if port is None else ("--port", str(port))),
        *(() if browser else ("--headless",)),
        *("--", "--lang", lang),
    ]


def serve(*, lang: str, edit: bool = False, port: int | None = None, browser: bool = True) -> int:
    """Serve the note until it is interrupted.

    Parameters
    ----------
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
    MissingExtraError
        Without marimo.
    """
    require("marimo", extra="note", purpose="the living note")
    notebook = copy_to_edit(Path.cwd()) if edit else NOTEBOOK
    command = server_command(notebook, lang=lang, edit=edit, port=port, browser=browser)
    print(_OPENED[lang], flush=True)
    if os.name == "posix":  # one process: who ends this one ends the server
        os.execv(command[0], command)
    return subprocess.call(command)


def copy_to_edit(folder: Path) -> Path:
    """Copy the notebook into a folder, unless a copy is there already; that is the reader's own."""
    path = folder / _COPY
    if not path.exists():
        check_output(path, (".py",))
        write_atomically(path, lambda temporary: shutil.copyfile(NOTEBOOK, temporary))
    return path


def export(path: Path, *, lang: str) -> Path:
    """Run the note and write it as a page or as a Jupyter notebook: the suffix decides.

    Raises
    ------
    OutputError
        For a suffix that is not known, or a place that cannot be written.
    MissingExtraError
        Without marimo.
    """
    path = check_output(path, tuple(EXPORTS))
    suffix = path.suffix.lower()
    require("marimo", extra="note", purpose="the living note")
    if suffix == ".ipynb":
        require("nbformat", extra="note", purpose="the note as a Jupyter notebook")
    kind, option = EXPORTS[suffix]

    def write(temporary: Path) -> None:
        # marimo keeps the outputs in a folder beside the notebook, which must not be the installed one.
        with tempfile.TemporaryDirectory() as folder:
            notebook = shutil.copy(NOTEBOOK, folder)
            command = [
                *(sys.executable, "-m", "marimo", "-q", "export", kind, notebook, option),
                *("--force", "--output", str(temporary.absolute()), "--", "--lang", lang),
            ]
            done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode or not temporary.exists():
            last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no output"]
            raise OutputError(f"The note must run to be exported. Got instead: {last[0]}")

    write_atomically(path, write)
    return path
