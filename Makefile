# The project's few commands. `make run` and `make test` are all that a fresh machine needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run setup test demo bench clean

run: $(VENV)/.installed-run
	@$(BIN)/newsbell run

demo: $(VENV)/.installed-run
	@$(BIN)/newsbell demo

setup: $(VENV)/.installed-dev

test: $(VENV)/.installed-dev
	@BIN=$(BIN) ./check

bench: $(VENV)/.installed-dev reader-env
	@$(BIN)/python -m bench

include bench/reader.mk

$(VENV)/bin/python:
	@echo "Creating $(VENV) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "newsbell needs Python 3.11 or newer: make PYTHON=/path/to/python3.11")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed-run: lock/run.txt pyproject.toml | $(VENV)/bin/python
	@echo "Installing what the lock names (once, about a minute) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r lock/run.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.installed-dev: lock/dev.txt $(VENV)/.installed-run
	@echo "Installing the tools of the tests and benchmarks ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r lock/dev.txt
	@touch $@

clean:
	rm -rf $(VENV) .venv-reader
