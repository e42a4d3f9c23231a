# Two commands on a machine that has Python 3.11 or newer, git and make: `make demo` and `make test`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT ?= demo-plan

.PHONY: demo test slow lint clean

demo: $(VENV)/installed
	@out=$(OUT); n=2; while [ -e "$$out" ]; do out=$(OUT)-$$n; n=$$((n + 1)); done; \
		$(BIN)/neuro-field plan example:colin27-stroke --preset contralesional-1hz-hand -o "$$out"

test: $(VENV)/installed-dev
	$(BIN)/python -m pytest -q -m "not slow"

slow: $(VENV)/installed-dev
	$(BIN)/python -m pytest -q

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "neuro_field needs Python 3.11 or newer; name one with: make demo PYTHON=python3.12"; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/installed-dev: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[dev]"
	@touch $@ $(VENV)/installed

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache
