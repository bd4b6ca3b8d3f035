"""An explanation on a terminal, with Rich."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from learnrate._lines import line_breaks, printable
from learnrate.book.steps.abridging import Omitted
from learnrate.book.steps.contents import contents
from learnrate.book.steps.messages import Messages, Prose, messages_in
from learnrate.book.steps.opened import Opened
from learnrate.book.steps.parts import Formula, Section
from learnrate.book.steps.tables import Limits, Table

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["print_explanation", "render_text"]

_STYLES = {"name": "bold", "formula": "dim", "math": "dim", "value": "", "gradient": "dark_orange3"}
_CODE = "cyan"
_PROSE_WIDTH = 100


def render_text(e: Opened, *, lang: str = "en", width: int = 100) -> str:
    """The output of `print_explanation` as plain text, ``width`` columns wide."""
    from rich.console import Console

    out = io.StringIO()
    print_explanation(e, Console(file=out, width=width, no_color=True), lang=lang)
    return "".join(line.rstrip() + "\n" for line in out.getvalue().splitlines())


def print_explanation(e: Opened, console: Console, *, lang: str = "en") -> None:
    """Print all sections, with tables shortened to the width of the console."""
    from rich.text import Text

    m = messages_in(lang)
    page = contents(e, m, _limits(console.width))
    console.print(Text(page.title, style="bold"))
    line = " · ".join(f"{name} {value}" for name, value in page.facts)
    for text in (line, *page.remarks):
        _print_prose(((text, "text"),), console)
    for number, section in enumerate(page.sections, 1):
        console.print()
        _print_section(section, number, m, console)


def _limits(width: int) -> Limits:
    """Limits for this width: a column of numbers takes about 11 characters, a number in a list about 10."""
    return Limits(
        columns=min(max((width - 30) // 11, 3), 8), values=min(max((width - 40) // 10, 3), 8)
    )


def _print_section(section: Section, number: int, m: Messages, console: Console) -> None:
    from rich.text import Text

    console.print(Text(f"{number}  {section.title}", style="bold underline"))
    for line in section.code.splitlines():
        console.print(Text(f"    {line}", style=_CODE))
    before: Any = None
    for part in section.parts:
        if not (isinstance(part, Formula) and isinstance(before, Formula)):
            console.print()
        before = part
        if isinstance(part, Table):
            console.print(_rich_table(part, m))
        elif isinstance(part, Formula):
            _print_formula(part.text, console)
        else:
            _print_prose(part, console)


def _print_prose(paragraph: Prose, console: Console) -> None:
    from rich.text import Text

    # Text, not str, so that names from the user's data are not read as markup.
    text = Text.assemble(
        *((printable(piece), _CODE if kind == "code" else "") for piece, kind in paragraph)
    )
    for line in text.divide(line_breaks(text.plain, min(console.width, _PROSE_WIDTH))):
        line.rstrip()
        console.print(line)


def _print_formula(formula: str, console: Console) -> None:
    """Print a formula on its own lines; continuation lines are indented further."""
    from rich.text import Text

    text = Text(formula)
    for i, line in enumerate(text.divide(line_breaks(formula, min(console.width, 120) - 8))):
        line.rstrip()
        console.print(Text("    " if i == 0 else "        ") + line)


def _rich_table(table: Table, m: Messages) -> Any:
    from rich.table import Table as RichTable
    from rich.text import Text

    rich = RichTable(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim italic")
    for column in table.columns:
        rich.add_column(
            Text(printable(column.heading)),
            justify="right" if column.numeric else "left",
            style=_STYLES[column.kind],
            overflow="fold",
        )
    for i, row in enumerate(table.rows):
        if isinstance(row, Omitted):
            rich.add_row(Text(m.more_rows.format(count=row)), style="dim")
            continue
        last = table.total and i == len(table.rows) - 1
        rich.add_row(*(Text(printable(cell)) for cell in row), style="bold" if last else None)
    return rich
