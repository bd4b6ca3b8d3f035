"""Entry point of the command, and the one place where errors become lines and exit codes.

0 is success, 2 bad input, 130 an interrupt (Ctrl-C), 141 a closed pipe.
"""

from __future__ import annotations

import os
import shlex
import sys
import warnings
from collections.abc import Sequence
from typing import NoReturn

from learnrate.errors import LearnrateError

__all__ = ["main"]

_BAD_INPUT, _INTERRUPTED, _CLOSED_PIPE = 2, 130, 141


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command and exit with its code."""
    sys.exit(_run(arguments))


def _run(arguments: Sequence[str] | None) -> int:
    from typer.exceptions import Abort, Exit, TyperException

    from learnrate.cli.app import app

    try:
        words = sys.argv[1:] if arguments is None else arguments
        typed = shlex.join(["learnrate", *words])  # for the reports that say how they were made
        with warnings.catch_warnings():
            warnings.showwarning = _warn
            code = app(arguments, standalone_mode=False, prog_name="learnrate", obj=typed)
        sys.stdout.flush()
    except LearnrateError as error:
        return _fail(str(error))
    except TyperException as error:
        return _fail(_usage(error))
    except Exit as error:
        return error.exit_code
    except (KeyboardInterrupt, Abort):
        return _INTERRUPTED
    except BrokenPipeError:
        # Nobody reads on; what Python would flush at exit must go nowhere instead of failing again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _CLOSED_PIPE
    except MemoryError as error:
        return _fail(
            f"The work must fit in memory. Got: {error or 'no memory left'}; "
            "use fewer rates or seeds, --dtype float32, or a machine with more."
        )
    return code if isinstance(code, int) else 0


def _fail(message: str) -> int:
    """One line on standard error."""
    _say(message)
    return _BAD_INPUT


def _warn(message: Warning | str, *_: object, **__: object) -> None:
    """A warning as one line too, without the place in the code that Python would add."""
    _say(f"note: {message}")


def _say(message: str) -> None:
    print("learnrate: " + " ".join(message.split()), file=sys.stderr)


def _usage(error: Exception) -> str:
    """A parser's complaint, with the command whose help answers it."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "learnrate"
    text = getattr(error, "format_message", lambda: str(error))().rstrip(".")
    details = getattr(error.__cause__, "errors", None)  # the value is only in the parser's cause
    came = f". Got {details()[0]['input']!r} instead" if details else ""
    end = "" if text.endswith("?") and not came else "."
    return f"{text}{came}{end} See: {command} --help"
