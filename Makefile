# `make demo` and `make test` set up all they need: a virtual environment beside
# the sources, filled from pyproject.toml with the versions in constraints.txt.
PYTHON ?= python3
VENV ?= .venv
CONSTRAINTS ?= constraints.txt
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: demo test test-slow test-lowest coverage lint types docs results clean

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "sklearn-ser needs Python 3.11 or newer: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# One stamp per extra, so that the demo does not install the test tools.
$(VENV)/.%-installed: pyproject.toml $(CONSTRAINTS) | $(VENV)/bin/python
	$(PIP) install --quiet --constraint $(CONSTRAINTS) --editable '.[$*]'
	@touch $@

DEMO := sklearn-ser-output

demo: $(VENV)/.egemaps-installed
	$(BIN)/sklearn-ser evaluate --overwrite --output $(DEMO)
	$(BIN)/sklearn-ser train --no-evaluation --overwrite --output $(DEMO)/model.skops
	$(BIN)/sklearn-ser synthesize --seed 1 --overwrite $(DEMO)/speech
	$(BIN)/sklearn-ser predict $(DEMO)/model.skops $(DEMO)/speech/speaker01_*_00*.wav

# A process for each core, and of many cores no more than four: each imports torch.
SPREAD := -n auto --maxprocesses 4 --dist worksteal
QUICK := $(SPREAD) -m "not slow"

test: $(VENV)/.test-installed
	$(BIN)/python -m pytest $(QUICK)

test-slow: $(VENV)/.test-installed
	$(BIN)/python -m pytest $(SPREAD) -m slow

# The same as `make test` with the oldest versions that pyproject.toml allows.
test-lowest:
	$(MAKE) test VENV=.venv-lowest CONSTRAINTS=constraints-lowest.txt

# Branch coverage of the quick tests; what subprocesses run is not seen.
coverage: $(VENV)/.test-installed
	$(BIN)/python -m pytest $(QUICK) --cov --cov-report=term:skip-covered

lint: $(VENV)/.dev-installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev-installed
	$(BIN)/mypy

docs: $(VENV)/.docs-installed
	$(BIN)/python -m sphinx -W -b html docs docs/_build/html

# Every table of docs/results.md, anew: days. What is there already is not run again.
results: $(VENV)/.test-installed
	$(BIN)/python benchmarks/rebuild_results.py results

clean:
	rm -rf $(VENV) .venv-lowest docs/_build docs/generated .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage*
