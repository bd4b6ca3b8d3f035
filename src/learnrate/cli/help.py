"""The help of the commands in the user's language: usage, text, arguments, options and commands."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from typing import Any, NamedTuple

from typer.core import TyperCommand, TyperGroup

from learnrate._lines import width_of, wrapped
from learnrate._translation import Say, translator

__all__ = ["Asked", "Command", "Group"]

_NARROW, _WIDE = 50, 78
"""The least and the largest width of a help text, in columns."""
_TERM = 30
"""A longer option has its text in the line below."""
_ADDED = re.compile(r"  \[([^\[\]]*)\]$")
"""What is added to the help of an option: its default, its range."""
_PARTS = re.compile(r"(.+?)( {2,})(.+)")
_KIND = re.compile(r"<(?:list\[)?(\w+?)(?: range)?\]?>", re.IGNORECASE)


class Asked(NamedTuple):
    """What was asked of the program."""

    typed: str
    """The command line, which a report shows as its origin."""
    lang: str
    """The language of help and errors."""


class Command(TyperCommand):
    """A command whose help is in the user's language."""

    headings: Mapping[str, tuple[str, ...]] = {}
    """Headings of groups of options, with the names of the options; options in no group are listed together."""

    def get_help(self, ctx: Any) -> str:
        """The text of ``--help``."""
        return _text(self, ctx, self.headings)


class Group(TyperGroup):
    """A command with commands, whose help is in the user's language."""

    def get_help(self, ctx: Any) -> str:
        """The text of ``--help``, with the commands after the options."""
        return _text(self, ctx, {}, self.commands)


def _text(
    command: Any,
    ctx: Any,
    headings: Mapping[str, tuple[str, ...]],
    commands: Mapping[str, Any] | None = None,
) -> str:
    """The whole help of a command."""
    say = translator(ctx.obj.lang)
    width = max(_NARROW, min(shutil.get_terminal_size().columns - 2, _WIDE))
    pieces = [say(piece.strip("{}")) for piece in command.collect_usage_pieces(ctx)]
    usage = f"{say('Usage: ')}{ctx.command_path} "
    lines = _hanging(usage, " ".join(pieces), width)
    for paragraph in (command.help or "").split("\n\n"):
        lines.append("")
        if paragraph.startswith("\b\n"):
            lines += ["  " + _example(line, say) for line in paragraph.split("\n")[1:]]
        else:
            lines += ["  " + line for line in wrapped(say(" ".join(paragraph.split())), width - 2)]
    for heading, params in _sections(command, ctx, headings).items():
        rows = [_row(record, say) for param in params if (record := param.get_help_record(ctx))]
        lines += _section(heading, rows, width, say)
    if commands:
        first = {name: (other.help or "").split("\n\n")[0] for name, other in commands.items()}
        rows = [(name, say(" ".join(text.split()))) for name, text in first.items()]
        lines += _section("Commands", rows, width, say)
    if command.epilog:
        lines += ["", "  " + _example(command.epilog, say)]
    return "\n".join(lines)


def _sections(
    command: Any, ctx: Any, headings: Mapping[str, tuple[str, ...]]
) -> dict[str, list[Any]]:
    """For each heading its parameters: arguments, groups of options, and the options that are in no group."""
    params = {param.name: param for param in command.get_params(ctx)}
    arguments = [param for param in params.values() if param.param_type_name == "argument"]
    grouped = {name for names in headings.values() for name in names}
    sections = {"Arguments": arguments}
    sections |= {
        heading: [params[name] for name in names if name in params]
        for heading, names in headings.items()
    }
    rest = [p for p in params.values() if p not in arguments and p.name not in grouped]
    return sections | {"More" if headings else "Options": rest}


def _row(record: tuple[str, str], say: Say) -> tuple[str, str]:
    """An option with the kind of its value, and its text with the default."""
    term, text = record
    term = _KIND.sub(lambda kind: f"<{say(kind[1].lower())}>", term)
    added = _ADDED.search(text)
    if added is None:
        return term, say(text)
    said = added[1].replace("default: ", say("default: ")).replace("required", say("required"))
    return term, f"{say(text[: added.start()])}  [{said}]"


def _section(heading: str, rows: list[tuple[str, str]], width: int, say: Say) -> list[str]:
    """A heading and its rows, the texts below one another."""
    if not rows:
        return []
    column = min(_TERM, max(width_of(term) for term, _ in rows)) + 2
    lines = ["", say(f"{heading}:")]
    for term, text in rows:
        if width_of(term) + 2 > column:
            lines.append(f"  {term}")
            term = ""
        padding = " " * (column - width_of(term))
        lines += _hanging(f"  {term}{padding}", text, width)
    return lines


def _hanging(first: str, text: str, width: int) -> list[str]:
    """``text`` to the right of ``first``."""
    indent = width_of(first)
    lines = wrapped(text, width - indent) or [""]
    return [(first if i == 0 else " " * indent) + line for i, line in enumerate(lines)]


def _example(line: str, say: Say) -> str:
    """``Example:  learnrate …``, or ``learnrate …   what it does``: the command stays as it is."""
    first, gap, rest = _PARTS.fullmatch(line).groups()  # type: ignore[union-attr]
    if first.startswith("learnrate"):
        return f"{first}{gap}{say(rest)}"
    return f"{say(first)}{gap}{rest}"
