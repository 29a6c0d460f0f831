# Targets for people and CI. `make` lists them.
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help setup demo check format test test-slow test-long test-all fuzz coverage docs site screenshots benchmarks wheel

help:  ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(BIN)/.ready  ## Create the environment with everything that tests and checks need

$(BIN)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade --constraint constraints.txt pip
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[test,check]'
	@touch $@

demo: setup  ## Run the demo, without a key
	$(BIN)/runoff demo

check: setup  ## Check format, lint, types, layers and generated pages
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m docs.generate --check

format: setup  ## Format the code and fix what ruff can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

test: setup  ## Run the tests that every change must pass
	$(BIN)/pytest

test-slow: setup $(BIN)/.ocr-ready  ## Run the slow tests, and say why any is skipped
	$(BIN)/pytest -m "slow and not long and not paid" -rs

test-long: setup  ## Run the tests that take minutes each: teams of workers, kill after kill
	$(BIN)/pytest -m "long and not paid" -rs

test-all: test test-slow test-long  ## Run all tests

FUZZ_FACTOR ?= 100
fuzz: setup  ## Try hostile input at every door, a hundred times as much as every day (FUZZ_FACTOR=...)
	HYPOTHESIS_PROFILE=fuzz FUZZ_FACTOR=$(FUZZ_FACTOR) $(BIN)/pytest -m "fuzz and not paid"

$(BIN)/.ocr-ready: pyproject.toml constraints.txt
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[ocr]'
	@touch $@

coverage: setup  ## Run the tests and require full branch coverage of the code that handles money
	$(BIN)/pytest --cov=tasks --cov-branch --cov-report=
	$(BIN)/coverage report --show-missing --skip-covered --fail-under=100 \
	  --include='tasks/money.py,tasks/errors.py,tasks/ledger/*,tasks/images_api/*'

docs: setup  ## Regenerate pages and the schema
	$(BIN)/python -m docs.generate

site: setup $(BIN)/.site-ready  ## Build the documentation as a site into build/site; warnings are errors
	$(BIN)/python -m docs.build_site

$(BIN)/.site-ready: pyproject.toml constraints.txt
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[docs]'
	@touch $@

screenshots: setup  ## Make runs and photograph them again for docs/images (minutes)
	$(BIN)/python -m docs.screenshots
	$(BIN)/python -m docs.prefect_form
	$(BIN)/python -m docs.terminal_session

benchmarks: setup  ## Run the benchmarks (hours); most write their figures into benchmarks/README.md
	$(BIN)/python -m benchmarks

wheel: setup  ## Build the wheel into dist/
	$(BIN)/python -m build --wheel
