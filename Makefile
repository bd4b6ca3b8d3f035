# `make sweep` runs the note's experiment, `make test` the tests, `make test-core` those that need neither PyTorch
# nor Ray nor a browser (and installs none of them), `make check` lint, types and format,
# `make docs` builds the site in docs/_build/html, `make dist` the packages in dist/.
# Each target sets up its own virtual environment first; nothing outside this folder is touched.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

# Tests run in as many processes as there are processors, 8 at most; JOBS=0 runs them in one, as a debugger needs it.
JOBS ?= auto
PARALLEL := --numprocesses $(JOBS) --maxprocesses 8 --dist worksteal

.PHONY: sweep test test-core test-slow check format test-all docs dist clean

sweep: $(VENV)/.installed
	$(BIN)/learnrate sweep --save sweep.png

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -m "not slow" $(PARALLEL) $(ARGS)

test-core: $(VENV)/.installed-core
	$(BIN)/python -m pytest -m "not slow" --core $(PARALLEL) $(ARGS)

test-slow: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -m slow $(PARALLEL) $(ARGS)

test-all: $(VENV)/.installed-dev
	$(BIN)/python -m pytest $(PARALLEL) $(ARGS)

check: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/.installed-docs
	$(BIN)/python docs/make_site.py

dist: $(VENV)/.installed-release
	rm -rf dist
	$(BIN)/python -m build --outdir dist
	$(BIN)/python -m twine check --strict dist/*
	$(BIN)/python .ci/check_dist.py dist

$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "learnrate needs Python 3.11 or newer. Set PYTHON=python3.11 (or newer).")'
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: $(VENV)/.created pyproject.toml constraints.txt
	@echo "Installing learnrate and its packages into $(VENV); this is done once and takes about a minute."
	$(PIP) install --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.installed-core: $(VENV)/.created pyproject.toml constraints.txt
	@echo "Installing what the core's tests need into $(VENV); this is done once and takes about a minute."
	$(PIP) install --constraint constraints.txt --editable '.[core]'
	@touch $@ $(VENV)/.installed

$(VENV)/.installed-dev: $(VENV)/.created pyproject.toml constraints.txt
	@echo "Installing what the tests need into $(VENV), PyTorch and Ray too; this is done once and takes some minutes."
	$(PIP) install --constraint constraints.txt --editable '.[dev]'
	@touch $@ $(VENV)/.installed $(VENV)/.installed-core

$(VENV)/.installed-docs: $(VENV)/.installed
	@echo "Installing what the site needs into $(VENV), PyTorch too; this is done once and takes some minutes."
	$(PIP) install --constraint constraints.txt --editable '.[docs]'
	@touch $@

$(VENV)/.installed-release: $(VENV)/.installed
	$(PIP) install --constraint constraints.txt --editable '.[release]'
	@touch $@

clean:
	rm -rf docs/_build $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
