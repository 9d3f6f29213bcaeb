# `make` lists the targets. Everything runs in one environment, .venv, which .ci/environment makes
# from requirements.lock and which is made anew when the lock or pyproject.toml change.
#   PYTHON=python3.12 VENV=.venv-3.12   another interpreter, beside the first environment
#   PYTEST_ARGS="-k name -n 0"          more arguments for pytest
#   BENCH_ARGS="--engine sqlite"        more arguments for the benchmarks

VENV ?= .venv
PYTHON ?=
PYTEST_ARGS ?=
BIN := $(VENV)/bin
STAMP := $(VENV)/.stamp
export PYTHON
# What is compiled is kept with the environment, whatever the shell says of it: the tests start some
# hundred processes, and each would compile all modules anew.
export PYTHONPYCACHEPREFIX := $(abspath $(VENV))/compiled
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test lint types floors api fresh docs packaging coverage bench bench-peers lock ci clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-12s %s\n", $$1, $$2 }' Makefile

$(STAMP): requirements.lock pyproject.toml .ci/environment
	@sh .ci/environment $(VENV)
	@touch $@

demo: $(STAMP)  ## record, ask and verify a small ledger in an embedded database
	$(BIN)/claims demo

test: $(STAMP)  ## run the tests, docs' and docstrings' examples among them
	$(BIN)/python -m pytest -n 2 $(PYTEST_ARGS)

lint: $(STAMP)  ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)  ## mypy --strict and pyrefly
	$(BIN)/mypy
	$(BIN)/pyrefly check

floors: $(STAMP)  ## imports point down (import-linter)
	$(BIN)/lint-imports --no-cache --no-logo

api: $(STAMP)  ## rewrite the snapshot of the public names, tests/public_api.txt
	$(BIN)/python tests/test_public_api.py

fresh: $(STAMP)  ## write what the migrations come to on an empty database, migrations/fresh
	$(BIN)/python tests/migrations/test_fresh.py

packaging: $(STAMP)  ## build the wheel, install it bare, record one claim with it
	$(BIN)/python -m pytest -m packaging tests/test_packaging.py

docs: $(STAMP)  ## build the documentation into docs/_build; warnings are errors
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html

coverage: $(STAMP)  ## run the tests in one process and show the lines they do not reach
	$(BIN)/coverage run -m pytest -n 0
	$(BIN)/coverage report

bench: $(STAMP)  ## run the benchmarks and print their figures
	$(BIN)/python tests/benchmarks/run.py $(BENCH_ARGS)

bench-peers: $(STAMP)  ## measure beside eventsourcing, goal by goal, and print the verdicts
	$(BIN)/python tests/benchmarks/peers.py $(BENCH_ARGS)

RESOLVE := $(BIN)/python -m uv pip compile pyproject.toml --quiet --upgrade --universal \
  --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
  --custom-compile-command "make lock"

lock: $(STAMP)  ## resolve the dependencies anew: the newest for all, the oldest allowed for CI
	$(RESOLVE) --all-extras --group dev --output-file requirements.lock
	$(RESOLVE) --resolution lowest-direct --output-file .ci/oldest.lock \
	  $(addprefix --extra ,cli postgres async asyncpg arrow columns prov rdf sign stamp)

ci:  ## everything a change must pass
	bash .ci/run

clean:  ## remove the environments and whatever was built
	rm -rf .venv .venv-* build dist docs/_build .coverage htmlcov
	rm -rf .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find ledger migrations tests docs -name __pycache__ -type d -prune -exec rm -rf {} +
