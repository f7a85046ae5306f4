# `make` lists what there is to make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
WHEEL := $(VENV)/.wheel
SOURCES := pyproject.toml $(shell find pipeline config -type f -not -name '*.pyc' 2>/dev/null)
CODE := pipeline tests dags
AIRFLOW_VENV := .venv-airflow
AIRFLOW_BIN := $(AIRFLOW_VENV)/bin
AIRFLOW_STAMP := $(AIRFLOW_VENV)/.installed
AIRFLOW_WHEEL := $(AIRFLOW_VENV)/.wheel
# The tests of the DAGs need Airflow: always in CI, elsewhere where `make airflow-install` has made its environment.
# A file of tests goes to one process: some of them make their servers or their texts ready once. Most of it is waiting.
SERVICES_TEST = $(BIN)/pytest -n 3 --dist loadscope -m "services and not soak" -W "ignore:unclosed <socket:ResourceWarning"
AIRFLOW_TESTED := $(if $(filter true,$(CI))$(wildcard $(AIRFLOW_STAMP)),$(AIRFLOW_WHEEL))

.DEFAULT_GOAL := help
.PHONY: help install run demo test services services-test airflow airflow-install check bench soak lock docker-init clean

help: ## Say what there is to make.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(WHEEL) ## Set up .venv with every extra but airflow, the development tools and Wirewatch itself.

run: $(WHEEL) ## Run the whole pipeline on this machine, with the feeds of config/feeds.opml.
	@$(BIN)/wirewatch run

demo: $(WHEEL) ## Watch it work without a network: a small news world on 127.0.0.1.
	@$(BIN)/wirewatch demo

test: check $(AIRFLOW_TESTED) ## Run the checks and all tests, against the built wheel; what needs real servers starts them.
	$(BIN)/pytest --quiet tests/test_worker*.py --cov=pipeline.worker --cov-branch --cov-fail-under=95 --cov-report=
	$(BIN)/pytest -n auto --dist worksteal -m "not soak and not services"
	$(SERVICES_TEST)

services: $(WHEEL) ## Start a real Kafka, Elasticsearch and PostgreSQL, and print the settings to use.
	@$(BIN)/python tests/services/up.py

services-test: $(WHEEL) $(AIRFLOW_TESTED) ## Only the tests on real servers: Kafka, Elasticsearch (Java and Maven), PostgreSQL, Airflow.
	$(SERVICES_TEST)

# Everything here can be set otherwise in the environment. The pool `fetch` is made once and keeps the size it is given.
# A task waits longer than Airflow's 5 s for the API, which starts at the same time on the same machine.
airflow: export AIRFLOW_HOME ?= $(CURDIR)/data/airflow
airflow: export AIRFLOW__CORE__DAGS_FOLDER ?= $(CURDIR)/dags
airflow: export AIRFLOW__CORE__LOAD_EXAMPLES ?= False
airflow: export AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION ?= False
airflow: export AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL ?= 10
airflow: export AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT ?= 60
airflow: export AIRFLOW__API__HOST ?= 127.0.0.1
airflow: export AIRFLOW__API__PORT ?= 8080
airflow: export AIRFLOW__CORE__EXECUTION_API_SERVER_URL ?= http://127.0.0.1:$(AIRFLOW__API__PORT)/execution/
airflow: private export PATH := $(CURDIR)/$(AIRFLOW_BIN):$(PATH)
airflow: $(AIRFLOW_WHEEL) ## Start Airflow with the DAGs of dags/, over the settings in force; Ctrl-C stops it.
	@wirewatch setup
	@airflow db migrate >/dev/null
	@airflow pools get fetch >/dev/null 2>&1 || airflow pools set fetch 4 "Batches of feeds polled at once" >/dev/null
	@echo "Airflow comes up in half a minute: http://127.0.0.1:$$AIRFLOW__API__PORT/, user admin; its password is in"
	@echo "$$AIRFLOW_HOME/simple_auth_manager_passwords.json.generated"
	@exec airflow standalone

airflow-install: $(AIRFLOW_WHEEL) ## Set up .venv-airflow: Airflow, Wirewatch and every extra, for `make airflow` and its tests.

check: $(WHEEL) ## Lint, types, import rules, proportions.
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python tests/proportions.py

bench: $(WHEEL) ## Measure articles a second beside the ceilings in the same run, and how long news wait for a poll.
	$(BIN)/python tests/benchmarks/end_to_end.py
	$(BIN)/python tests/benchmarks/on_cluster.py
	$(BIN)/python tests/benchmarks/polling.py
	$(BIN)/python tests/benchmarks/many_feeds.py
	$(BIN)/python tests/benchmarks/on_airflow.py
	$(BIN)/python tests/benchmarks/schedule.py

soak: $(WHEEL) ## The long fault runs: 1,000 kills.
	$(BIN)/pytest -m soak

RESOLVE := uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-annotate \
  --no-emit-index-url --no-header --quiet
lock: ## Resolve the lock files anew from pyproject.toml (needs uv).
	$(RESOLVE) --extra all --group dev --output-file requirements.lock
	$(RESOLVE) --extra all --extra airflow --constraint requirements.lock --output-file requirements-airflow.lock

docker-init: ## Make the secrets and certificates of the containers, into docker/secrets.
	@docker/init.sh

clean: ## Remove what was built; data/ stays.
	rm -rf $(VENV) $(AIRFLOW_VENV) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

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

$(AIRFLOW_STAMP): requirements-airflow.lock
	$(PYTHON) -m venv $(AIRFLOW_VENV)
	$(AIRFLOW_BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-airflow.lock
	@touch $@

$(AIRFLOW_WHEEL): $(AIRFLOW_STAMP) $(WHEEL)
	$(AIRFLOW_BIN)/pip install --quiet --disable-pip-version-check --no-deps --force-reinstall dist/*.whl
	@touch $@
