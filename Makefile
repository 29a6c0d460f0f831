# What people and CI run. `make` lists it.
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help setup demo check format test test-slow test-all coverage docs benchmarks wheel

help:  ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(BIN)/.ready  ## Make the environment: Runoff, and what tests and checks need

$(BIN)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[test]'
	@touch $@

demo: setup  ## Run the whole job without a key
	$(BIN)/runoff demo

check: setup  ## Lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m docs.generate --check

format: setup  ## Put the code in its usual shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

test: setup  ## The tests that every change must pass
	$(BIN)/pytest

test-slow: setup $(BIN)/.ocr-ready  ## The slow ones, with the reason of each that is skipped
	$(BIN)/pytest -m "slow and not paid" -rs

test-all: test test-slow  ## All of them, one after the other

$(BIN)/.ocr-ready: pyproject.toml constraints.txt
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[ocr]'
	@touch $@

coverage: setup  ## The tests, and proof that they pass every branch of what handles money
	$(BIN)/pytest --cov=tasks --cov-branch --cov-report=
	$(BIN)/coverage report --show-missing --skip-covered --fail-under=100 \
	  --include='tasks/money.py,tasks/errors.py,tasks/ledger/*,tasks/images_api/*'

docs: setup  ## Write the generated pages and the schema again
	$(BIN)/python -m docs.generate

benchmarks: setup  ## Measure (takes minutes); the figures go into benchmarks/README.md by hand
	for file in benchmarks/*.py; do $(BIN)/python $$file || exit 1; done

wheel: setup  ## Build the wheel into dist/
	$(BIN)/python -m build --wheel
