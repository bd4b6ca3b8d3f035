"""The public names: a snapshot, so that adding or losing one is a decision."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
import types

import pytest

import learnrate

NAMES = {
    "learnrate": [
        "Checkpoint",
        "Explanation",
        "LinearModel",
        "LinearSweepResult",
        "Monitor",
        "Optimizer",
        "OutOfCore",
        "Outcome",
        "SGD",
        "Schedule",
        "SoFar",
        "Suggestion",
        "SweepInterrupted",
        "SweepResult",
        "Table",
        "TensorBoard",
        "arange",
        "autograd",
        "data",
        "errors",
        "explain",
        "logspace",
        "nd",
        "note_data",
        "scratch",
        "sweep",
        "synthetic_data",
        "theory",
    ],
    "learnrate.errors": [
        "AutogradError",
        "ClusterError",
        "DataError",
        "InputError",
        "LearnrateError",
        "LearnrateWarning",
        "MissingExtraError",
        "MissingModuleError",
        "MissingNameError",
        "OptionError",
        "OutputError",
        "as_flags",
        "did_you_mean",
        "option",
    ],
    "learnrate.sklearn": ["SweptSGDClassifier", "SweptSGDRegressor"],
}


@pytest.mark.parametrize(
    "module",
    [
        pytest.param(name, marks=[pytest.mark.extra] * (name == "learnrate.sklearn"))
        for name in NAMES
    ],
)
def test_public_names(module: str) -> None:
    assert sorted(importlib.import_module(module).__all__) == NAMES[module]


@pytest.mark.parametrize("name", learnrate.__all__)
def test_every_name_is_there_documented_and_listed(name: str) -> None:
    value = getattr(learnrate, name)
    assert inspect.getdoc(value)
    assert name in dir(learnrate)


def test_a_function_is_not_shadowed_by_the_room_it_lives_in() -> None:
    """Whatever order things are imported in, learnrate.sweep stays the function."""
    code = "import learnrate, learnrate.sweeps.result, learnrate.cli.app; print(learnrate.sweep)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("<function sweep"), done.stderr


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="swep"):
        learnrate.swep  # noqa: B018


def test_type_checkers_see_what_python_sees() -> None:
    for name in learnrate.__all__:
        value = getattr(learnrate, name)
        if not isinstance(value, types.ModuleType):
            assert value.__module__ == learnrate._HOMES[name]
