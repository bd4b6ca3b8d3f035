"""The results as Markdown tables, put into the pages between their markers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from benchmarks.engines.bars import Bar, against_peers, floor, others
from benchmarks.engines.cases import CASES, QUICK, QUICK_CLASSES, case_of
from benchmarks.engines.results import Results
from benchmarks.engines.words import PAGES
from benchmarks.pages import put

Words = dict[str, str]

ROWS = (
    *("fused float32", "fused float64", "fused alone", "least squares"),
    *("gram float32", "gram float64", "rows float32", "auto float64", "fused float32, K = 1"),
    *("JAX", "PyTorch", "PyTorch, one rate at a time", "scikit-learn", "MXNet", "orders"),
)
BARS = ("fused float32", "fused float64", "gram float32", "fused alone")
NOTHING = "–"


def measured(results: Results) -> list[str]:
    """The cases that have been timed."""
    return [name for name in (*CASES, QUICK.name, QUICK_CLASSES.name) if name in results.parts]


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table; columns after the first are set to the right."""
    names = list(header)
    lines = [names, ["---", *["---:"] * (len(names) - 1)], *map(list, rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def time_of(seconds: float | None) -> str:
    """Three digits with the unit that suits: ``27.1 ms``."""
    if seconds is None:
        return NOTHING
    unit, size = next(
        (pair for pair in (("s", 1.0), ("ms", 1e-3)) if seconds >= pair[1]), ("µs", 1e-6)
    )
    return f"{digits(seconds / size)} {unit}"


def digits(value: float) -> str:
    """Three significant digits without an exponent."""
    return f"{value:.0f}" if value >= 100 else f"{value:#.3g}".rstrip(".")


def cases(results: Results, words: Words) -> str:
    """What each case is."""
    rows = []
    for name in measured(results):
        case = case_of(name)
        sizes = case.n, case.d, case.batch_size, case.lanes, case.epochs
        classes = f"{case.classes}" if case.classes else NOTHING
        rows.append([name, *(f"{size:,}" for size in sizes), classes])
    return table([words[word] for word in ("case", "n", "d", "B", "K", "E", "classes")], rows)


def times(results: Results, words: Words) -> str:
    """The median time of every row."""
    names = measured(results)
    rows = []
    for row in ROWS:
        cells = [time_of(results.median(name, row)) for name in names]
        if any(cell != NOTHING for cell in cells):
            rows.append([words.get(row, row), *cells])
    return table([words["time"], *names], rows)


def bars(results: Results, words: Words) -> str:
    """How many times as fast as the best peer."""
    rows = []
    for name in measured(results):
        peers, reached = results.peers(name), against_peers(results, name)
        best = words["none"]
        if peers:
            seconds = time_of(results.median(name, peers[0]))
            best = words["comma"].join([words.get(peers[0], peers[0]), seconds])
        rows.append([name, best, *(beside(reached.get(row)) for row in BARS)])
    return table([words["case"], words["best peer"], *(words[row] for row in BARS)], rows)


def beside(bar: Bar | None) -> str:
    """What is reached and what is asked: ``9.3× (≥ 9×) ✓``."""
    if bar is None:
        return NOTHING
    if bar.asked is None:
        return f"{digits(bar.value)}×"
    sign = "≥" if bar.at_least else "≤"
    return f"{digits(bar.value)}× ({sign} {bar.asked:g}×) {mark(bar)}"


def mark(bar: Bar) -> str:
    """Whether it is met."""
    return "✓" if bar.met else "✗"


def other_bars(results: Results, words: Words) -> str:
    """Bars without a peer."""
    rows = []
    for (what, where), bar in others(results).items():
        K = case_of(where).lanes if what == "lanes" else ""
        is_time = what in ("auto", "cold")
        show: Callable[[float], str] = time_of if is_time else lambda value: f"{digits(value)}×"
        sign = "≥" if bar.at_least else "≤"
        text = words[what].format(where=where, K=K)
        asked = show(bar.asked or 0.0)
        rows.append([text, show(bar.value), f"{sign} {asked} {mark(bar)}"])
    return table([words["what"], words["measured"], words["asked"]], rows)


def floors(results: Results, words: Words) -> str:
    """The time over the floor, and what float64 costs."""
    rows = []
    for name in measured(results):
        least, time = floor(results, name), results.median(name, "fused float32")
        if least is None or time is None:
            continue
        double = results.ratio(name, "fused float64", "fused float32") or 0.0
        cause = words["memory" if least[1] else "arithmetic"]
        over = Bar(time / least[0], case_of(name).over_floor, at_least=False)
        cells = [time_of(least[0]), cause, beside(over), f"{digits(double)}×"]
        rows.append([name, *cells])
    header = ("case", "floor", "set by", "over", "double over single")
    return table([words[word] for word in header], rows)


def run(results: Results, words: Words) -> str:
    """The machine, the releases, the date, and how far the peers' losses are from ours."""
    parts = results.parts
    releases = {name: v for part in parts.values() for name, v in part["versions"].items()}
    names = measured(results)
    worst = {
        row: max(parts[name]["deviation"].get(row, 0.0) for name in names)
        for row in dict.fromkeys(row for name in names for row in results.peers(name))
    }
    chosen: dict[str, list[str]] = {}
    for name in names:
        for row, note in parts[name]["notes"].items():
            if note:
                chosen.setdefault(f"{words.get(row, row)}: {note}", []).append(name)
    loads = [part["load"] for part in parts.values() if part.get("load") is not None]
    facts = {
        "machine": "; ".join(results.data["machine"].values()),
        "releases": ", ".join(f"{name} {v}" for name, v in releases.items()),
        "date": max(part["date"] for part in parts.values()),
        "rounds": between([results.rounds(part) for part in parts]),
        "load": between(loads),
        "largest": ", ".join(f"{words.get(row, row)} {error:.0e}" for row, error in worst.items())
        or NOTHING,
        "variants": "; ".join(f"{note} ({', '.join(on)})" for note, on in chosen.items())
        or NOTHING,
    }
    return "".join(f"- {words[fact]}{words['colon']}{text}\n" for fact, text in facts.items())


def between(values: list[float]) -> str:
    """The least and the most: ``5–7``."""
    if not values:
        return NOTHING
    few, most = min(values), max(values)
    return f"{few:g}" if few == most else f"{few:g}–{most:g}"


TABLES: dict[str, Callable[[Results, Words], str]] = {
    "cases": cases,
    "bars": bars,
    "other bars": other_bars,
    "times": times,
    "floors": floors,
    "run": run,
}


def write(results: Results, docs: Path) -> None:
    """Put all tables into the pages that are in a folder."""
    for page, words in PAGES.items():
        for name, make in TABLES.items():
            if (docs / page).exists():
                put(docs / page, name, make(results, words))
