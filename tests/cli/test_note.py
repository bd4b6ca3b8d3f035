"""``learnrate note``: what it lists, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cli.conftest import Done

Run = Callable[..., Done]


def test_the_notes_are_listed_in_the_users_language(learnrate: Run) -> None:
    done = learnrate("note", "--list", "--lang", "zh")
    assert done.code == 0
    assert [line.split()[0] for line in done.out.splitlines()] == [
        "linear",
        "softmax",
        "perceptron",
        "momentum",
    ]
    assert "动量与 Adam" in done.out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["softmx"], "note must be one of linear, softmax, perceptron, momentum. Got 'softmx'"),
        (["--list", "--edit"], "--list must be given without --edit. Leave one of them out."),
        (["momentum", "--list"], "--list must be given without a name."),
        (["--export", "a.html", "--port", "99"], "--export must be given without --port."),
        (["--export", "a.htm"], "An output file must end in .html, .ipynb. Got 'a.htm' instead."),
        (["--lang", "zh", "--list", "--edit"], "--list 不能与 --edit 同时给出，请去掉其中一个。"),
    ],
)
def test_bad_input_is_one_line(learnrate: Run, options: list[str], said: str) -> None:
    done = learnrate("note", *options)
    assert done.code == 2
    assert said in done.err
    assert done.err.count("\n") == 1
