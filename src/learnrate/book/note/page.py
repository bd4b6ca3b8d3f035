"""What the notes have in common as pages of marimo: language, code, one opened step, the reader's own table, exercises."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import marimo as mo

import learnrate
from learnrate._translation import LANGUAGES, as_language, translator
from learnrate.book.note.catalogue import Texts
from learnrate.book.note.graph import graph
from learnrate.book.note.listing import source_of
from learnrate.book.note.own_data import bytes_of, number, read, results_page
from learnrate.book.note.plot import Plot, render
from learnrate.book.note.track import Track

__all__ = [
    "code",
    "downloads",
    "drawn",
    "exercises",
    "head",
    "laid_out",
    "language_switch",
    "nearest",
    "next_button",
    "number",
    "rows",
    "section",
    "source",
    "table_of",
    "text",
    "trained",
    "walk",
    "wanted",
]


def language_switch() -> Any:
    """The languages to choose from; first that of the option ``--lang``, else the system's."""
    asked = str(mo.cli_args().get("lang") or as_language())
    names = {code: name for name, code in LANGUAGES.items()}
    return mo.ui.radio(LANGUAGES, value=names.get(asked, "English"), inline=True)


def head(language: Any) -> Any:
    """The switch, the colours of all drawings, and what hides the English of marimo's controls."""
    return mo.vstack([mo.Html(render("style.html")), language])


def section(t: Texts, name: str, *keys: str) -> Any:
    """The heading of a section and its texts."""
    return text("\n\n".join([f"## {t(f'{name}_title')}", *map(t, keys)]))


def text(markdown: str) -> Any:
    """Markdown, whose formulas and tables can be pushed aside where there is no room for them."""
    return mo.Html(f'<div style="overflow-x:auto">{mo.md(markdown).text}</div>')


def code(*functions: Callable[..., Any]) -> Any:
    """The code of functions, as it is run here."""
    return mo.md("```python\n" + "\n\n".join(map(source_of, functions)) + "\n```")


def drawn(*plots: Plot | Track) -> Any:
    """Drawings beside one another, where there is room."""
    if len(plots) == 1:
        return mo.Html(plots[0].svg())
    each = [f'<div style="flex:1 1 20rem;min-width:0">{plot.svg()}</div>' for plot in plots]
    return mo.Html(f'<div style="display:flex;flex-wrap:wrap;gap:.5rem">{"".join(each)}</div>')


def nearest(values: Sequence[float], wanted: float) -> float:
    """The value that is nearest to ``wanted``, with which a slider of these values can begin."""
    return min(values, key=lambda value: abs(value - wanted))


def rows(names: Iterable[str], columns: Iterable[Iterable[float]]) -> str:
    """The rows of a table in Markdown: a name, then a number of each column, to four digits."""
    return "\n".join(
        f"| {' | '.join([name, *(f'{value:.4g}' for value in values)])} |"
        for name, values in zip(names, zip(*columns, strict=True), strict=True)
    )


def walk(step: Any, presses: int, t: Texts) -> Any:
    """The graph of an opened step as far as ``backward()`` has gone after some presses of a button, and what it does there."""
    lit = presses % (len(step.visited) + 1)
    if lit == 0:
        said = t("graph_before")
    else:
        node = step.visited[lit - 1]
        said = t("graph_at", order=lit, name=node.name, rule=node.rule)
        if lit == 1:
            said = t.sentences(said, t("graph_start"))
        if node.kind == "parameter":
            said = t.sentences(said, t("graph_leaf", name=node.name))
    return mo.vstack([mo.md(said), mo.Html(graph(step, lit, t))])


def next_button(t: Texts) -> Any:
    """The button whose presses `walk` counts."""
    return mo.ui.button(value=0, on_click=lambda count: count + 1, label=t("next"))


def source(t: Texts) -> Any:
    """Where the reader's table comes from: a file that is uploaded, or a path."""
    upload = mo.ui.file(kind="area", label=t("upload"))
    path = mo.ui.text(label=t("path"), full_width=True)
    return mo.md("{upload}\n\n{path}").batch(upload=upload, path=path)


def _complaint(error: Exception, t: Texts) -> Any:
    """What is wrong with the user's data, in a box; their names stay text."""
    said = translator(t.lang)(str(error))
    return mo.callout(mo.Html(render("complaint.html", t=t, error=said)), kind="warn")


def table_of(chosen: Mapping[str, Any], default: Callable[[], Any], t: Texts) -> tuple[Any, Any]:
    """The reader's table, else the default one; or None, and what is wrong."""
    try:
        if chosen["upload"]:
            return read(chosen["upload"][0].name, chosen["upload"][0].contents), None
        if chosen["path"].strip():
            return read(chosen["path"].strip(), None), None
        return default(), None
    except learnrate.errors.LearnrateError as error:
        return None, _complaint(error, t)


def wanted(
    frame: Any, t: Texts, *, target: str | None = None, missing: str = "error", **more: Any
) -> Any:
    """What to predict from which columns, how long to train, and more controls of a note's own."""
    policies = {policy: t(f"missing_{policy}") for policy in ("error", "drop", "mean")}
    return mo.ui.dictionary(
        {
            "target": mo.ui.dropdown(
                frame.columns,
                value=target if target in frame.columns else frame.columns[-1],
                label=t("target"),
            ),
            "features": mo.ui.dictionary(
                {name: mo.ui.checkbox(label=_plain(name)) for name in frame.columns}
            ),
            "missing": mo.ui.dropdown(
                {words: policy for policy, words in policies.items()},
                value=policies[missing],
                label=t("missing"),
            ),
            "epochs": mo.ui.slider(1, 50, 1, value=10, label=t("epochs"), show_value=True),
            **more,
        }
    )


def _plain(name: str) -> str:
    """The user's text as Markdown that shows it as it is."""
    return "".join(c if c.isalnum() or c == " " else f"&#{ord(c)};" for c in name)


def laid_out(frame: Any, chosen: Any, train: Any, t: Texts) -> Any:
    """The controls of `wanted`, and the button."""

    def beside(controls: Iterable[Any]) -> Any:
        return mo.hstack(list(controls), justify="start", gap=1.5, wrap=True)

    boxes = beside(chosen.elements["features"].elements.values())
    return mo.vstack(
        [
            mo.md(t("table_read", rows=f"{len(frame):,}", columns=f"{frame.width:,}")),
            beside(part for name, part in chosen.elements.items() if name != "features"),
            mo.md(t("features")),
            boxes.style({"max-height": "8rem", "overflow-y": "auto"}),
            train,
        ]
    )


def _ticked(chosen: Mapping[str, Any]) -> list[str]:
    """The features that were chosen, without the target."""
    features: Mapping[str, bool] = chosen["features"]
    return [name for name, ticked in features.items() if ticked and name != chosen["target"]]


def trained(
    frame: Any,
    chosen: Mapping[str, Any],
    t: Texts,
    *,
    shown: Callable[[Any, Texts], str] = results_page,
    **options: Any,
) -> tuple[Any, Any]:
    """A sweep over the reader's table and what it found; or None, and what is wrong."""
    try:
        with mo.status.progress_bar(total=100, title=t("training"), remove_on_exit=True) as bar:
            done_so_far = [0]

            def on_epoch(done: int, total: int) -> None:
                share = 100 * done // total
                bar.update(increment=share - done_so_far[0])
                done_so_far[0] = share

            result = learnrate.sweep(
                frame,
                target=chosen["target"],
                features=_ticked(chosen) or None,
                missing=chosen["missing"],
                epochs=chosen["epochs"],
                monitor=learnrate.Monitor(on_epoch=on_epoch),
                **options,
            )
        return result, mo.Html(shown(result, t))
    except learnrate.errors.LearnrateError as error:
        return None, _complaint(error, t)


def downloads(result: Any, t: Texts) -> Any:
    """Buttons that save a sweep as a picture, a table or a report."""
    names = {"picture": "sweep.png", "table": "sweep.csv", "report": "sweep.html"}
    return mo.hstack(
        [
            mo.download(
                lambda name=name: bytes_of(result, name, t.lang), name, label=t(f"save_{what}")
            )
            for what, name in names.items()
        ],
        justify="start",
        wrap=True,
    )


def exercises(answers: Mapping[str, str], t: Texts) -> Any:
    """Questions, each with an answer to open."""
    return mo.vstack(
        [
            section(t, "exercises", "exercises"),
            mo.accordion({q: mo.md(a) for q, a in answers.items()}, multiple=True),
        ]
    )
