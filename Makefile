# `make` lists what there is to make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
WHEEL := $(VENV)/.wheel
SOURCES := pyproject.toml $(shell find pipeline config -type f -not -name '*.pyc' 2>/dev/null)
CODE := pipeline tests

.DEFAULT_GOAL := help
.PHONY: help install run demo test services services-test check bench soak lock docker-init clean

help: ## Say what there is to make.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(WHEEL) ## Set up .venv with every extra but airflow, the development tools and Wirewatch itself.

run: $(WHEEL) ## Run the whole pipeline on this machine, with the feeds of config/feeds.opml.
	@$(BIN)/wirewatch run

demo: $(WHEEL) ## Watch it work without a network: a small news world on 127.0.0.1.
	@$(BIN)/wirewatch demo

test: check ## Run the checks and all tests, against the built wheel.
	$(BIN)/pytest --quiet tests/test_worker*.py --cov=pipeline.worker --cov-branch --cov-fail-under=95 --cov-report=
	$(BIN)/pytest -n auto --dist worksteal -m "not soak and not services"

services: $(WHEEL) ## Start a real Kafka, Elasticsearch and PostgreSQL, and print the settings to use.
	@$(BIN)/python tests/services/up.py

services-test: $(WHEEL) ## The contract of the cluster adapters, against real servers (Java and Maven are needed).
	$(BIN)/pytest -m services

check: $(WHEEL) ## Lint, types, import rules, proportions.
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python tests/proportions.py

bench: $(WHEEL) ## Measure articles per second beside the ceilings in the same run.
	$(BIN)/python tests/benchmarks/end_to_end.py

soak: $(WHEEL) ## The long fault runs: 1,000 kills.
	$(BIN)/pytest -m soak

lock: ## Resolve the lock files anew from pyproject.toml (needs uv).
	uv pip compile pyproject.toml --universal --python-version 3.11 --extra all --group dev --generate-hashes \
	  --no-annotate --no-emit-index-url --no-header --quiet --output-file requirements.lock
	uv pip compile pyproject.toml docker/airflow.in --universal --python-version 3.11 --extra all --extra airflow \
	  --constraint requirements.lock --generate-hashes --no-annotate --no-emit-index-url --no-header --quiet \
	  --output-file docker/airflow.lock

docker-init: ## Make the secrets and certificates of the containers, into docker/secrets.
	@docker/init.sh

clean: ## Remove what was built; data/ stays.
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

$(STAMP): requirements.lock
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else \
	  f"Wirewatch needs Python 3.11 or newer; {sys.executable} is {v[0]}.{v[1]}. Try: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@touch $@

# The wheel is what runs and what the tests test; it is built anew when a source has changed.
$(WHEEL): $(STAMP) $(SOURCES)
	@rm -rf dist
	$(BIN)/python -m build --wheel --no-isolation --outdir dist . >/dev/null 2>&1 || \
	  $(BIN)/python -m build --wheel --no-isolation --outdir dist .
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --force-reinstall dist/*.whl
	@touch $@
