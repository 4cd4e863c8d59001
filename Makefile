# Set-up, tests, demo and benchmarks. Needs git, make and Python 3.11 or newer; the rest is installed into
# .venv, but for the browser of the tests of the web UI (see chromium) and the C compiler of faults.
SHELL := /bin/bash
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
TEST_WORKERS ?= 2
SEEDS ?= 50

.PHONY: help install test lint types chromium demo up bench fuzz faults screenshots docs lock

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

install: $(INSTALLED)  ## make .venv with the pinned dependencies

$(INSTALLED): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed and none was found; install it, or name it: make $(MAKECMDGOALS) PYTHON=/path/of/python3" >&2; exit 2; }
	@echo "Installing the pinned dependencies into $(VENV) (about a minute) ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

lint: install  ## ruff: style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install  ## mypy, strict on rules, engine and store
	$(BIN)/mypy

test: lint types chromium  ## lint, types and all tests
	$(BIN)/pytest -n $(TEST_WORKERS)

chromium:  ## the browser for the tests of the web UI, from Debian's packages; needs root
	@if ! type chromium chromium-browser google-chrome 2>/dev/null | grep -q .; then \
		if type apt-get >/dev/null 2>&1 && [ "$$(id -u)" = 0 ]; then \
			echo "Installing Chromium for the tests of the web UI ..."; \
			apt-get update -qq && apt-get install -qq -y --no-install-recommends chromium >/dev/null \
				|| echo "Chromium could not be installed, so the tests of the web UI are skipped" >&2; \
		else \
			echo "No Chromium on this machine, so the tests of the web UI are skipped; install it, on Debian by: apt-get install chromium"; \
		fi; \
	fi

demo: install  ## a night over 25 sample workspaces, through Dagster
	@$(BIN)/batch-jobs demo

up: install  ## web UI, scheduler and workers, until Ctrl-C
	@$(BIN)/batch-jobs up

bench: install  ## the figures of docs/benchmarks.md, measured here and now
	$(BIN)/python -m benchmarks

fuzz: install  ## ten thousand hostile and broken inputs
	$(BIN)/python -m batch_jobs_tests.fuzz

faults: install  ## nights with processes killed, clocks put back, disks full: SEEDS=50
	$(BIN)/python -m batch_jobs_tests.faults --seeds $(SEEDS)

screenshots: install chromium  ## the pictures in docs/day, taken on a sample here and now
	PICTURES=docs/day $(BIN)/pytest -q batch_jobs_tests/browser

docs: install  ## the parts of docs/jobs that come from the code
	$(BIN)/python docs/job_pages.py

lock: install  ## pin the newest allowed versions in requirements.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --no-strip-extras \
		--python-version 3.11 --extra dev --upgrade pyproject.toml --output-file requirements.lock
