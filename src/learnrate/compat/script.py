"""Running an unmodified script that was written for MXNet, as Python would run it."""

from __future__ import annotations

import os
import re
import sys
import tokenize
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, ModuleType, TracebackType

import numpy as np

import learnrate.compat
from learnrate.compat.datasets import new_run
from learnrate.compat.finder import missing_import, mxnet_imports
from learnrate.compat.inline import pictures, set_inline
from learnrate.errors import InputError, LearnrateError, MissingModuleError, MissingNameError
from learnrate.nd.random import fresh_random

__all__ = ["run_script"]

_HOME = str(Path(learnrate.compat.__file__).parents[1]) + os.sep
"""The folder of learnrate's files, whose frames are left out of a script's traceback."""

_MAGIC = re.compile(
    r"^(?:%|get_ipython\(\)\.run_line_magic\(\s*['\"]|get_ipython\(\)\.magic\(\s*u?['\"]%?)"
    r"(matplotlib|config|load_ext|autoreload)\b.*$",
    re.MULTILINE,
)
"""Commands for IPython in an exported notebook."""


def run_script(script: Path, arguments: Sequence[str] = (), *, save_pictures: bool = True) -> int:
    """Run ``script`` with learnrate's modules under MXNet's names.

    Parameters
    ----------
    script : Path
        A Python file.
    arguments : sequence of str
        Its ``sys.argv[1:]``.
    save_pictures : bool
        Whether ``plt.show()`` shows or saves figures; otherwise it only closes them.

    Returns
    -------
    int
        0, or 1 if the script raised an exception; its traceback is then printed on standard error.

    Raises
    ------
    InputError
        If there is no such script.
    MissingNameError, MissingModuleError
        If it uses a part of MXNet that learnrate does not have; the message begins with file and line.
    SystemExit
        If the script raises it.
    """
    source = _read(script)
    with (
        _as_main(script, arguments) as main,
        mxnet_imports(),
        fresh_random(),
        pictures(script.stem, save_pictures),
        np.printoptions(legacy="1.25"),  # print numbers in a list as [0.5, 0.25]
    ):
        new_run()
        try:
            exec(_compiled(source, script), main.__dict__)
        except BrokenPipeError:
            raise
        except Exception as error:
            missing = missing_import(error) if type(error) is ImportError else error
            if isinstance(missing, MissingNameError | MissingModuleError):
                text = _location(error.__traceback__) + str(missing)
                raise type(missing)(text, name=missing.name) from error
            _print_traceback(error)
            return 1
    return 0


def _read(script: Path) -> str:
    if script.suffix == ".ipynb":
        raise InputError(
            f"The script must be a Python file. Got the notebook {str(script)!r} instead; "
            "export it with: jupyter nbconvert --to script"
        )
    try:
        with tokenize.open(script) as file:  # in the encoding that the script declares
            return file.read()
    except OSError as error:
        raise InputError(
            f"The script must be a file that can be read. Got {str(script)!r} instead: {error.strerror}."
        ) from error
    except (SyntaxError, UnicodeDecodeError) as error:
        raise InputError(
            f"The script must be Python text, in UTF-8 or in the encoding that it declares. "
            f"Got {str(script)!r} instead: {error}."
        ) from error


def _compiled(source: str, script: Path) -> CodeType:
    """Compile the script. Commands for IPython are replaced by ``pass``, so that line numbers stay the same."""
    plain = _MAGIC.sub("pass", source)
    if plain != source:
        set_inline()
    return compile(plain, str(script), "exec", dont_inherit=True)


@contextmanager
def _as_main(script: Path, arguments: Sequence[str]) -> Iterator[ModuleType]:
    """Scope in which ``__main__``, ``sys.argv`` and ``sys.path`` are those of the script."""
    main = ModuleType("__main__")
    main.__file__ = str(script.absolute())
    main.__dict__["__builtins__"] = __builtins__
    before = sys.argv, sys.path[:], sys.modules["__main__"]
    sys.argv = [str(script), *arguments]
    sys.path.insert(0, str(script.resolve().parent))
    sys.modules["__main__"] = main
    try:
        yield main
    finally:
        sys.argv, sys.path[:], sys.modules["__main__"] = before


def _is_inner(filename: str) -> bool:
    """Whether a frame belongs to learnrate or to Python's import system, not to the script."""
    return filename.startswith((_HOME, "<frozen "))


def _location(trace: TracebackType | None) -> str:
    """``"note.py, line 12: "``, the innermost line of the script or of a module beside it."""
    frames = [
        frame
        for frame in traceback.extract_tb(trace)
        if not _is_inner(frame.filename) and "site-packages" not in frame.filename
    ]
    return f"{frames[-1].filename}, line {frames[-1].lineno}: " if frames else ""


def _print_traceback(error: Exception) -> None:
    """Print the traceback as Python would, without the frames of learnrate."""
    sys.stdout.flush()
    shown = traceback.TracebackException.from_exception(error)
    _trim(shown, error)
    print("".join(shown.format()), end="", file=sys.stderr)


def _trim(shown: traceback.TracebackException, error: BaseException) -> None:
    shown.stack = traceback.StackSummary.from_list(
        [frame for frame in shown.stack if not _is_inner(frame.filename)]
    )
    if isinstance(error, LearnrateError):  # the message is enough
        shown.__cause__ = shown.__context__ = None
    if shown.__cause__ is not None and error.__cause__ is not None:
        _trim(shown.__cause__, error.__cause__)
    if shown.__context__ is not None and error.__context__ is not None:
        _trim(shown.__context__, error.__context__)
