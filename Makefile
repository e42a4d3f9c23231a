# Two commands on a machine that has Python 3.11 or newer, git and make: `make demo` and `make test`.  `make docs`
# builds the documentation, build/docs/index.html.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT ?= demo-plan

.PHONY: demo test slow full fuzz lint docs clean

demo: $(VENV)/installed
	@out=$(OUT); n=2; while [ -e "$$out" ]; do out=$(OUT)-$$n; n=$$((n + 1)); done; \
		$(BIN)/neuro-field plan example:colin27-stroke --preset contralesional-1hz-hand -o "$$out"

test: $(VENV)/installed-dev
	$(BIN)/python -m pytest -q -m "not slow and not full" -n auto --dist loadfile --no-loadscope-reorder

# Two at a time, whatever the machine: real heads take gigabytes.
slow: $(VENV)/installed-dev
	$(BIN)/python -m pytest -q -m slow -n 2 --dist loadfile

# Once before a release: what must hold at full size, in a table, what hospitals may hand over, and whole studies of
# forty strokes; an hour.
# EARLIER=PLAN of another version holds the zone to its placements.
full: $(VENV)/installed-dev
	$(BIN)/python -m pytest -q -m full -n 2 --dist load
	$(BIN)/python benchmarks/door.py
	$(BIN)/python benchmarks/clinic.py $(if $(EARLIER),--earlier $(EARLIER))

# Ten thousand damaged files of every reader, or as many as SECONDS allow; what fails is kept in build/fuzz.
fuzz: $(VENV)/installed-dev
	$(BIN)/python tests/fuzz.py --seconds $(or $(SECONDS),600) --seed $(or $(SEED),0)

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(VENV)/installed-docs
	$(BIN)/sphinx-build -W --keep-going -q -b html docs build/docs
	@echo "Open build/docs/index.html."

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

$(VENV)/installed-docs: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[docs]"
	@touch $@ $(VENV)/installed

clean:
	rm -rf build docs/made $(VENV) .pytest_cache .mypy_cache .ruff_cache
