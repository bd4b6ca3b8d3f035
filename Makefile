# `make sweep` runs the note's experiment, `make test` the tests, `make check` lint, types and format,
# `make docs` builds the site in docs/_build/html, `make dist` the packages in dist/.
# Each target sets up its own virtual environment first; nothing outside this folder is touched.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

.PHONY: sweep test check format test-all docs dist clean

sweep: $(VENV)/.installed
	$(BIN)/learnrate sweep --save sweep.png

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -m "not slow" $(ARGS)

test-all: $(VENV)/.installed-dev
	$(BIN)/python -m pytest $(ARGS)

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

$(VENV)/.installed-dev: $(VENV)/.created pyproject.toml constraints.txt
	@echo "Installing what the tests need into $(VENV), PyTorch and Ray too; this is done once and takes some minutes."
	$(PIP) install --constraint constraints.txt --editable '.[dev]'
	@touch $@ $(VENV)/.installed

$(VENV)/.installed-docs: $(VENV)/.installed
	@echo "Installing what the site needs into $(VENV), PyTorch too; this is done once and takes some minutes."
	$(PIP) install --constraint constraints.txt --editable '.[docs]'
	@touch $@

$(VENV)/.installed-release: $(VENV)/.installed
	$(PIP) install --constraint constraints.txt --editable '.[release]'
	@touch $@

clean:
	rm -rf docs/_build $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
