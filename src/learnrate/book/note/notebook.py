# /// script
# [tool.marimo.display]
# theme = "system"
# ///
"""The living note: what the learning rate does, on one page. Run it with: learnrate note."""

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="learnrate")


@app.cell
def _():
    import inspect

    import marimo as mo
    import numpy as np

    import learnrate
    from learnrate.book.language import LANGUAGES, default_language
    from learnrate.book.note.catalogue import texts
    from learnrate.book.note.exercises import answers
    from learnrate.book.note.graph import graph
    from learnrate.book.note.landscape import Landscape
    from learnrate.book.note.own_data import bytes_of, read, results_page
    from learnrate.book.note.plot import Dot, Line, render
    from learnrate.book.play import page as explorer

    return (
        Dot,
        LANGUAGES,
        Landscape,
        Line,
        answers,
        bytes_of,
        default_language,
        explorer,
        graph,
        inspect,
        learnrate,
        mo,
        np,
        read,
        render,
        results_page,
        texts,
    )


@app.cell
def _(LANGUAGES, default_language, mo, render):
    asked = mo.cli_args().get("lang") or default_language()
    names = {code: name for name, code in LANGUAGES.items()}
    language = mo.ui.radio(LANGUAGES, value=names.get(asked, "English"), inline=True)
    mo.hstack([mo.Html(render("style.html")), language], justify="end")
    return (language,)


@app.cell
def _(language, mo, texts):
    t = texts(language.value)
    mo.md(f"# {t('title')}\n\n{t('intro')}")
    return (t,)


@app.cell
def _(inspect, learnrate, mo):
    X, y = learnrate.note_data()

    def code(function):
        """The note's own code of a function, without what is said about it."""
        source = inspect.getsource(function).replace(f'"""{function.__doc__}"""', "")
        lines = [line for line in source.splitlines() if line.strip()]
        return mo.md("```python\n" + "\n".join(lines) + "\n```")

    return X, code, y


@app.cell
def _(code, learnrate, mo, t):
    mo.vstack(
        [
            mo.md(f"## {t('model_title')}\n\n{t('model')}"),
            code(learnrate.scratch.linreg),
            mo.md(t("model_drag")),
        ]
    )
    return


@app.cell
def _(mo, t):
    x1 = mo.ui.slider(-3, 3, 0.1, value=1.0, label="x₁", show_value=True)
    x2 = mo.ui.slider(-3, 3, 0.1, value=-0.5, label="x₂", show_value=True)
    w1 = mo.ui.slider(-5, 5, 0.1, value=2.0, label="w₁", show_value=True)
    w2 = mo.ui.slider(-5, 5, 0.1, value=-3.4, label="w₂", show_value=True)
    bias = mo.ui.slider(-5, 5, 0.1, value=4.2, label=t("bias"), show_value=True)
    mo.hstack([mo.vstack([x1, x2]), mo.vstack([w1, w2]), bias], justify="start", gap=2, wrap=True)
    return bias, w1, w2, x1, x2


@app.cell
def _(bias, learnrate, mo, w1, w2, x1, x2):
    row = learnrate.nd.array([[x1.value, x2.value]])
    weights = learnrate.nd.array([[w1.value], [w2.value]])
    y_hat = learnrate.scratch.linreg(row, weights, learnrate.nd.array([bias.value]))
    mo.md(
        rf"$$\hat y = {x1.value:g}\cdot({w1.value:g}) + ({x2.value:g})\cdot({w2.value:g})"
        rf" + ({bias.value:g}) = \mathbf{{{float(y_hat.asnumpy()[0, 0]):.4g}}}$$"
    )
    return


@app.cell
def _(code, learnrate, mo, t):
    mo.vstack(
        [
            mo.md(f"## {t('loss_title')}\n\n{t('loss_section')}"),
            code(learnrate.scratch.squared_loss),
            mo.md(f"{t('why_half')}\n\n{t('loss_drag')}"),
        ]
    )
    return


@app.cell
def _(mo):
    v1 = mo.ui.slider(-1, 5, 0.1, value=0.0, label="w₁", show_value=True)
    v2 = mo.ui.slider(-6, 1, 0.1, value=0.0, label="w₂", show_value=True)
    mo.hstack([v1, v2], justify="start", gap=2, wrap=True)
    return v1, v2


@app.cell
def _(Dot, Landscape, X, mo, np, t, v1, v2, y):
    land = Landscape.of(X, y)
    corners = [np.array([-1, -6]), np.array([5, 1])]
    chosen = Dot(v1.value, v2.value, "chosen", t("you"))
    optimum = Dot(*land.best, "good", "w*", ring=True)
    axes = land.axes(("w₁", "w₂"), keep=corners)
    here = t(
        "loss_here",
        w1=f"{v1.value:g}",
        w2=f"{v2.value:g}",
        loss=f"{land.loss((v1.value, v2.value)):.4g}",
        lowest=f"{land.lowest:.2g}",
        b1=f"{land.best[0]:.4g}",
        b2=f"{land.best[1]:.4g}",
    )
    surface = land.plot("surface", t("contour_alt"), axes, [chosen, optimum])
    mo.vstack([mo.md(here), mo.Html(surface.svg())])
    return (land,)


@app.cell
def _(mo, t):
    which = mo.ui.slider(1, 300, 1, value=1, label=t("which_step"), show_value=True)
    step_rate = mo.ui.slider(
        steps=[0.01, 0.03, 0.1, 0.3, 1, 1.5, 2], value=0.3, label=t("step_rate"), show_value=True
    )
    mo.vstack(
        [
            mo.md(f"## {t('step_title')}\n\n{t('step')}"),
            mo.hstack([which, step_rate], justify="start", gap=2, wrap=True),
        ]
    )
    return step_rate, which


@app.cell
def _(learnrate, step_rate, which):
    step = learnrate.explain("note", lr=step_rate.value, batch_size=3, step=which.value)
    return (step,)


@app.cell
def _(Dot, Line, land, mo, np, step, t):
    names_of = ["w₁", "w₂", "b"]
    columns = [
        np.concatenate([np.ravel(getattr(u, part)) for u in step.updates])
        for part in ("old", "gradient", "change", "new")
    ]
    table = "\n".join(
        f"| {name} | " + " | ".join(f"{value:.4g}" for value in values) + " |"
        for name, values in zip(names_of, zip(*columns, strict=True), strict=True)
    )
    words = t(
        "step_numbers",
        rows=len(step.y),
        batch=step.batch_size,
        table=table,
        before=f"{step.loss_before:.4g}",
        after=f"{step.loss_after:.4g}",
    )
    before, after = columns[0][:2], columns[3][:2]
    moved = [
        Line([before[0], after[0]], [before[1], after[1]], "chosen", width=2.5),
        Dot(*before, "ink", t("old")),
        Dot(*after, "chosen", t("new")),
        Dot(*land.best, "good", "w*", ring=True),
    ]
    around = land.axes(("w₁", "w₂"), keep=[before, after, np.zeros(2)])
    stepped = land.plot("step", t("step_alt"), around, moved)
    mo.vstack([mo.md(words), mo.Html(stepped.svg())])
    return


@app.cell
def _(mo, t):
    forward = mo.ui.button(value=0, on_click=lambda count: count + 1, label=t("next"))
    mo.vstack([mo.md(t("attach")), forward])
    return (forward,)


@app.cell
def _(forward, graph, mo, step, t):
    lit = forward.value % (len(step.visited) + 1)
    if lit == 0:
        said = t("graph_before")
    else:
        node = step.visited[lit - 1]
        said = t("graph_at", order=lit, name=node.name, rule=node.rule)
        if lit == 1:
            said += " " + t("graph_start")
        if node.kind == "parameter":
            said += " " + t("graph_leaf", name=node.name)
    mo.vstack([mo.md(said), mo.Html(graph(step, lit, t))])
    return


@app.cell
def _(explorer, mo, t):
    mo.vstack(
        [
            mo.md(f"## {t('rates_title')}\n\n{t('rates')}"),
            mo.iframe(explorer(lang=t.lang, embedded=True), height="900px"),
        ]
    )
    return


@app.cell
def _(mo, t):
    upload = mo.ui.file(kind="area", label=t("upload"))
    path = mo.ui.text(label=t("path"), full_width=True)
    mo.vstack([mo.md(f"## {t('data_title')}\n\n{t('data')}"), upload, path])
    return path, upload


@app.cell
def _(learnrate, mo, path, read, render, t, upload):
    def complaint(error):
        """What is wrong with the user's data, in a box; their names stay text."""
        return mo.callout(mo.Html(render("complaint.html", t=t, error=str(error))), kind="warn")

    frame = trouble = None
    try:
        if upload.value:
            frame = read(upload.value[0].name, upload.value[0].contents)
        elif path.value.strip():
            frame = read(path.value.strip(), None)
        else:
            frame = learnrate.data.load_diabetes()
    except learnrate.errors.LearnrateError as error:
        trouble = complaint(error)
    trouble
    return complaint, frame


@app.cell
def _(frame, mo, t):
    mo.stop(frame is None)
    target = mo.ui.dropdown(frame.columns, value=frame.columns[-1], label=t("target"))
    features = mo.ui.multiselect(frame.columns, label=t("features"))
    missing = mo.ui.dropdown(
        {t(f"missing_{policy}"): policy for policy in ("error", "drop", "mean")},
        value=t("missing_error"),
        label=t("missing"),
    )
    own_epochs = mo.ui.slider(1, 50, 1, value=10, label=t("epochs"), show_value=True)
    train = mo.ui.run_button(label=t("train"))
    mo.vstack(
        [
            mo.md(t("table_read", rows=f"{len(frame):,}", columns=f"{frame.width:,}")),
            mo.hstack([target, features, missing, own_epochs], justify="start", gap=1.5, wrap=True),
            train,
        ]
    )
    return features, missing, own_epochs, target, train


@app.cell
def _(
    complaint, features, frame, learnrate, missing, mo, own_epochs, results_page, t, target, train
):
    mo.stop(not train.value, mo.md(f"*{t('press_train')}*"))
    own = outcome = None
    try:
        with mo.status.progress_bar(total=100, title=t("training"), remove_on_exit=True) as bar:
            done_so_far = [0]

            def on_epoch(done, total):
                share = 100 * done // total
                bar.update(increment=share - done_so_far[0])
                done_so_far[0] = share

            own = learnrate.sweep(
                frame,
                target=target.value,
                features=[name for name in features.value if name != target.value] or None,
                missing=missing.value,
                epochs=own_epochs.value,
                monitor=learnrate.Monitor(on_epoch=on_epoch),
            )
        outcome = mo.Html(results_page(own, t))
    except learnrate.errors.LearnrateError as error:
        outcome = complaint(error)
    outcome
    return (own,)


@app.cell
def _(bytes_of, mo, own, t):
    mo.stop(own is None)
    mo.hstack(
        [
            mo.download(lambda: bytes_of(own, "sweep.png"), "sweep.png", label=t("save_picture")),
            mo.download(lambda: bytes_of(own, "sweep.csv"), "sweep.csv", label=t("save_table")),
            mo.download(lambda: bytes_of(own, "sweep.html"), "sweep.html", label=t("save_report")),
        ],
        justify="start",
        wrap=True,
    )
    return


@app.cell
def _(X, answers, mo, t, y):
    mo.vstack(
        [
            mo.md(f"## {t('exercises_title')}\n\n{t('exercises')}"),
            mo.accordion({q: mo.md(a) for q, a in answers(X, y, t).items()}, multiple=True),
        ]
    )
    return


if __name__ == "__main__":
    app.run()
