"""Checks what ``python -m build`` left in a folder, then installs and tries it: ``python .ci/check_dist.py dist``.

The wheel holds the package and nothing else, with its data, templates, type marker and licences; the sdist
has what the tests need; and the wheel does the main jobs in a new environment, away from the checkout.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from email.parser import Parser
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "learnrate"

NEEDED = {
    "py.typed",
    "data/diabetes.csv",
    "data/diabetes.txt",
    "book/note/texts.toml",
    "book/note/momentum/lesson.md",
    "book/note/momentum/texts.toml",
    "book/play/texts.toml",
    "book/play/templates/play.html",
    "mxnet_names.txt",
}
STRAY = (
    "__pycache__",
    ".pyc",
    ".ipynb_checkpoints",
    "__marimo__",
    ".DS_Store",
    ".nbi",
    ".nbc",
    "~",
)
IN_SDIST = {"README.md", "CHANGELOG.md", "LICENSE", "pyproject.toml", "tests/test_documents.py"}
IN_SDIST |= {
    "docs/index.md",
    "docs/play.html",
    "docs/conf.py",
    "constraints.txt",
    "Makefile",
    "SECURITY.md",
    "CITATION.cff",
}


def tracked() -> set[str]:
    """The package's files as git has them."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "."], cwd=PACKAGE, capture_output=True, text=True, check=True
    )
    return set(listed.stdout.split("\0")) - {""}


def wheel_complaints(wheel: Path) -> list[str]:
    """What is wrong with the wheel's contents and metadata."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        info = next(name.split("/")[0] for name in names if ".dist-info/" in name)
        metadata = Parser().parsestr(archive.read(f"{info}/METADATA").decode())
        notice = archive.read("learnrate/data/diabetes.txt").decode()
    inside = {name.removeprefix("learnrate/") for name in names if name.startswith("learnrate/")}
    outside = {n for n in names if not n.startswith(("learnrate/", f"{info}/"))}
    found = [f"{name} does not belong into a wheel" for name in sorted(outside)]
    found += [f"{name} is stray" for name in names if any(word in name for word in STRAY)]
    found += [f"{name} is missing" for name in sorted((tracked() | NEEDED) - inside)]
    found += [f"{name} is not in the repository" for name in sorted(inside - tracked())]
    if f"{info}/licenses/LICENSE" not in names:
        found.append("the licence is missing")
    if "BSD 3-Clause License" not in notice:
        found.append("the licence of diabetes.csv is missing")
    if metadata["License-Expression"] != "MIT":
        found.append(f"the licence in the metadata is {metadata['License-Expression']!r}")
    if metadata["Version"] != version():
        found.append(f"the version is {metadata['Version']}, not {version()}")
    return found


def sdist_complaints(sdist: Path) -> list[str]:
    """What is wrong with the sdist's contents."""
    with tarfile.open(sdist) as archive:
        names = [name.partition("/")[2] for name in archive.getnames()]
    found = [f"{name} is missing in the sdist" for name in sorted(IN_SDIST - set(names))]
    return found + [
        f"{name} is stray"
        for name in names
        if any(word in name for word in STRAY) or name.startswith(("docs/_build", ".venv", "dist"))
    ]


def version() -> str:
    """The version, from its one place."""
    source = (PACKAGE / "version.py").read_text(encoding="utf-8")
    return next(
        line.split('"')[1] for line in source.splitlines() if line.startswith("__version__")
    )


def try_it(wheel: Path) -> None:
    """Install the wheel into a new environment, and do the main jobs there."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        venv.create(folder / "env", with_pip=True)
        python = folder / "env" / "bin" / "python"
        install: list[str | Path] = [
            python,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ]
        subprocess.run(
            [*install, "--constraint", ROOT / "constraints.txt", wheel.resolve()],
            cwd=folder,
            check=True,
        )
        learnrate = folder / "env" / "bin" / "learnrate"
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        environment |= {"HOME": str(folder), "MPLBACKEND": "agg"}
        for arguments in (
            ["--version"],
            ["sweep", "--save", "sweep.png", "--save", "sweep.json"],
            ["sweep", "diabetes", "--epochs", "5", "--quiet", "--save", "limit.svg"],
            ["explain", "--lang", "zh", "--save", "explain.html"],
            ["play", "--save", "play.html"],
        ):
            print("$ learnrate", *arguments, flush=True)
            subprocess.run([learnrate, *arguments], cwd=folder, env=environment, check=True)
        for written in ("sweep.png", "sweep.json", "limit.svg", "explain.html", "play.html"):
            if not (folder / written).stat().st_size:
                sys.exit(f"{written} is empty")
        where = "import learnrate; print(learnrate.__file__)"
        done = subprocess.run(
            [python, "-c", where], cwd=folder, env=environment, capture_output=True, text=True
        )
        if not done.stdout.startswith(str(folder)):
            sys.exit(f"learnrate came from {done.stdout or done.stderr}, not from the wheel")


def main() -> None:
    """Check both, then try the wheel."""
    folder = Path(sys.argv[1])
    [wheel], [sdist] = list(folder.glob("*.whl")), list(folder.glob("*.tar.gz"))
    problems = wheel_complaints(wheel) + sdist_complaints(sdist)
    if problems:
        sys.exit("\n".join(problems))
    try_it(wheel)
    print(f"{wheel.name} and {sdist.name}: contents are right, and the wheel works.")


if __name__ == "__main__":
    main()
