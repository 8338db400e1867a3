# `make demo` and `make test` are all a newcomer needs; both build the virtual environment first when it is missing or out of date.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# A test process has a Postgres and a sandbox of its own. One per core, or two where tests wait for servers and for Airflow.
CORES := $(shell getconf _NPROCESSORS_ONLN)
AT_ONCE := --numprocesses=$(CORES) --maxprocesses=8 --dist=worksteal
TWICE := --numprocesses=$(shell expr 2 '*' $(CORES)) --maxprocesses=8 --dist=worksteal
# Tests start Airflow and the command line many times; each start would otherwise compile anew whatever it imports.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help venv demo test every-test check schemas screenshots unit integration e2e long simulation chaos distributed mutants containers bench constraints clean

help: ## List the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

venv: $(READY) ## Create .venv with the pinned, hash-checked dependencies

# An old pip (23.2 of Python 3.11) refuses the extra of a package that is pinned: the lock's own pip is installed first.
$(READY): constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; this is " + sys.version.split()[0] + ". Point to another one: make PYTHON=python3.12")'
	@echo "Building $(VENV): a minute or so the first time."
	@if command -v uv >/dev/null; then \
	  uv venv --quiet --allow-existing --python $(PYTHON) $(VENV) && \
	  uv pip install --quiet --python $(BIN)/python --require-hashes -r constraints.txt && \
	  uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .; \
	else \
	  $(PYTHON) -m venv $(VENV) && \
	  sed -n '/^pip==/,/[^\\]$$/p' constraints.txt > $(VENV)/pip.txt && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(VENV)/pip.txt && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r constraints.txt && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .; \
	fi
	@touch $@

demo: $(READY) ## Start everything on this machine and run the sample campaigns (ARGS=--once to run headless)
	@$(BIN)/python -m audiences.demo $(ARGS)

test: $(READY) ## Everything that must be green: style, types, unit, integration and end-to-end tests
	@$(MAKE) --no-print-directory --jobs=2 check every-test

# Not told of the jobs of this make, which are none of a make that a test starts.
every-test: $(READY)
	@env -u MAKEFLAGS -u MFLAGS $(BIN)/pytest $(TWICE) -m "not long"

check: $(READY) ## Style and types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

schemas: $(READY) ## Write the JSON schemas and the reference pages anew from the models and commands
	@$(BIN)/python -m audiences.campaign.schema
	@$(BIN)/python -m audiences.campaign.reference
	@$(BIN)/python -m audiences.cli.command_reference

screenshots: $(READY) ## Take the pictures of the pages anew that README and docs show (needs Chromium)
	@AUDIENCES_SCREENSHOTS=yes $(BIN)/pytest tests/pages/test_browser.py

unit: $(READY) ## Fast tests: no database, no network
	@$(BIN)/pytest $(AT_ONCE) -m "not integration and not e2e and not long"

integration: $(READY) ## Real Postgres, the sandbox over HTTP, the command line
	@$(BIN)/pytest $(TWICE) -m "integration and not long"

e2e: $(READY) ## A campaign through real Airflow
	@$(BIN)/pytest $(TWICE) --dist=loadfile -m "e2e and not long"

long: $(READY) ## What takes minutes: live events while Airflow is killed, ten thousand random campaigns, query plans at 2,000,000 users
	@$(BIN)/pytest -m long --hypothesis-profile=exploring

simulation: $(READY) ## Hold the goal report against thousands of simulated campaigns (a few minutes)
	@$(BIN)/pytest -m long --hypothesis-profile=exploring -s tests/goal

chaos: $(READY) ## Storms of faults for twelve minutes, sets compared after each (ARGS="--seed 7 --minutes 60")
	@$(BIN)/python -m tests.chaos $(ARGS)

distributed: $(READY) ## Many workers as docker-compose.celery.yml has them; faults, and how long each takes to heal (ARGS=--quick)
	@$(BIN)/python -m tests.distributed $(ARGS)

mutants: $(READY) ## Plant known faults one by one and see whether the tests notice (ARGS="--only ledger --jobs 4")
	@$(BIN)/python -m tests.mutants $(ARGS)

containers: $(READY) ## The image and the Compose files on a container engine that is made here, as root (ARGS=--quick)
	@$(BIN)/python -m tests.containers $(ARGS)

bench: $(READY) ## Measure the product against the script people write, the floor and another commit (ARGS="--against REV --only starts"; --help)
	@$(BIN)/python -m benchmarks $(ARGS)

constraints: ## Resolve the dependencies anew into constraints.txt (needs uv)
	uv pip compile pyproject.toml --extra demo --extra test --extra bench --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-header --no-annotate --quiet --upgrade --output-file constraints.txt

clean: ## Remove the virtual environment, the demo's data and caches
	rm -rf $(VENV) .demo .containers .pytest_cache .mypy_cache .ruff_cache .hypothesis plugins/*.egg-info
