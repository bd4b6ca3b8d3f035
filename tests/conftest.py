"""What holds for every test, and the option ``--core``: only tests that need no optional package."""

import os
import re
import uuid
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Ray reads these once in a process: whichever test comes first, only who has the token gets in.
os.environ["RAY_AUTH_MODE"] = "token"
os.environ["RAY_AUTH_TOKEN"] = uuid.uuid4().hex
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"

OPTIONAL = re.compile(
    r"^ *(?:import|from) (?:duckdb|fastexcel|marimo|nbformat|playwright|plotly|ray|sklearn|tensorboard|torch|xarray"
    r"|xlsxwriter|learnrate\.(?:cluster|sklearn|torch))\b",
    re.MULTILINE,
)
"""A test file with such an import needs an optional package."""

ELSEWHERE = (
    *("benchmarks", "book/note", "browser", "cluster", "site", "sklearn", "torch"),
    "contract/test_losses.py",
    "test_documents.py",
    *(
        "contract/test_widths.py",
        "linear/test_fences.py",
        "linear/test_process.py",
        "sweeps/test_float32.py",
    ),
)
"""Folders and files whose tests all need one; and those that compile kernels for minutes, for vectors of any width."""

# A test on a busy machine, or a slow one, is as right as on a quick one.
settings.register_profile("learnrate", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("learnrate")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--core", action="store_true", help="only tests that need no optional package")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    if not config.getoption("--core"):
        return None
    here = collection_path.relative_to(Path(__file__).parent).as_posix()
    if here in ELSEWHERE:
        return True
    return (
        collection_path.is_file()
        and bool(OPTIONAL.search(collection_path.read_text(encoding="utf-8")))
    ) or None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--core"):
        left_out = [item for item in items if item.get_closest_marker("extra") or _of_torch(item)]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def _of_torch(item: pytest.Item) -> bool:
    """Whether a test is about the engine ``torch``."""
    parameters = getattr(item, "callspec", None)
    return parameters is not None and "torch" in map(str, parameters.params.values())
