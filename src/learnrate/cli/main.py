"""Entry point of the command, which turns errors into one line and an exit code.

Exit codes: 0 success, 2 bad input, 130 interrupted (Ctrl-C), 141 closed pipe.
"""

from __future__ import annotations

import errno
import io
import os
import shlex
import sys
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import NoReturn

from learnrate._lines import printable
from learnrate._translation import LANGUAGES, as_language, translator
from learnrate._translation import Say as Translate
from learnrate.errors import LearnrateError, LearnrateWarning, as_flags

__all__ = ["main"]

Say = Callable[[str], None]

_BAD_INPUT, _INTERRUPTED, _CLOSED_PIPE = 2, 130, 141

_FULL = {errno.ENOSPC, errno.EFBIG, errno.EIO, getattr(errno, "EDQUOT", errno.ENOSPC)}
"""What the operating system says where no more can be written: a full disk, or a quota that is used up."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command and exit with its code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that has no η or █ shows "?" instead.
            stream.reconfigure(errors="replace")
    sys.exit(_run(arguments))


def _run(arguments: Sequence[str] | None) -> int:
    from typer.exceptions import Abort, Exit, TyperException

    from learnrate.cli.app import app
    from learnrate.cli.help import Asked

    words = sys.argv[1:] if arguments is None else arguments
    asked = Asked(shlex.join(["learnrate", *words]), _language(words))
    say = partial(_say, translator(asked.lang))
    try:
        with warnings.catch_warnings():
            warnings.showwarning = partial(_warn, say)
            try:
                code = app(arguments, standalone_mode=False, prog_name="learnrate", obj=asked)
            except Exit as ended:
                code = ended.exit_code
        sys.stdout.flush()
    except LearnrateError as error:
        return _fail(say, error.said(as_flags))
    except TyperException as error:
        return _fail(say, _usage(error, words))
    except (KeyboardInterrupt, Abort):
        return _INTERRUPTED
    except BrokenPipeError:
        _give_up_output()
        return _CLOSED_PIPE
    except OSError as error:
        if error.filename is not None or error.errno not in _FULL:
            raise
        _give_up_output()
        reason = error.strerror or error
        return _fail(say, f"Standard output must be writable. Got: {reason}; free some space.")
    except MemoryError as error:
        return _fail(
            say,
            f"The work must fit in memory. Got: {error or 'no memory left'}; "
            "use fewer rates or seeds, --dtype float32, or a machine with more.",
        )
    return code if isinstance(code, int) else 0


def _give_up_output() -> None:
    """Write no more to standard output. Without this, the flush at exit would fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(say: Say, message: str) -> int:
    """Print one line to standard error, and return the exit code."""
    say(message)
    return _BAD_INPUT


def _warn(say: Say, message: Warning | str, *_: object, **__: object) -> None:
    """Print a warning as one line, without the line of code that Python would add."""
    say(f"note: {message.said(as_flags) if isinstance(message, LearnrateWarning) else message}")


def _say(translate: Translate, message: str) -> None:
    print("learnrate: " + printable(translate(" ".join(message.split()))), file=sys.stderr)


def _language(words: Sequence[str]) -> str:
    """The language of ``--lang``, else that of the system, for errors that occur before options are parsed."""
    named = [word.partition("=")[2] for word in words if word.startswith("--lang=")]
    named += [after for word, after in pairwise(words) if word == "--lang"]
    return named[-1] if named and named[-1] in LANGUAGES.values() else as_language()


def _usage(error: Exception, words: Sequence[str]) -> str:
    """The message of an error in the command line, with the command that shows the help."""
    from learnrate.cli.app import COMMANDS

    named = [word for word in words if word in COMMANDS]
    command = " ".join(["learnrate", *named[:1]])
    text = getattr(error, "format_message", lambda: str(error))().rstrip(".")
    details = getattr(error.__cause__, "errors", None)  # only the cause has the value
    came = f". Got {details()[0]['input']!r} instead" if details else ""
    end = "" if text.endswith("?") and not came else "."
    return f"{text}{came}{end} See: {command} --help"
