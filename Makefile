# The project's few commands. `make run` and `make test` are all that a fresh machine needs.
# make setup    the environment with the tools of developers
# make demo     an invented newswire through the whole of newsbell
# make soak     what is too long for the check, in parts
# make bench    the benchmarks
# make messages the texts of the code into bot/i18n/locale
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run setup test demo bench soak messages clean

LANGUAGES := ar de es ru uk

run: $(VENV)/.installed-run
	@$(BIN)/newsbell run

demo: $(VENV)/.installed-run
	@$(BIN)/newsbell demo

setup: $(VENV)/.installed-dev

test: $(VENV)/.installed-dev
	@BIN=$(BIN) ./check

# Everything long; `make soak PART=crash` runs one part, `make soak PART=--list` says what there is.
PART ?=
soak: $(VENV)/.installed-dev
	@$(BIN)/python -m bench.soak $(PART)

bench: $(VENV)/.installed-dev reader-env
	@$(BIN)/python -m bench

# Brings the texts of the code into the files of their translators: translations stay,
# texts that the code has no longer go.
messages: $(VENV)/.installed-run
	@$(BIN)/pybabel -q extract --no-default-keywords -k gettext -k ngettext:1,2 -k QueryError:3 -k ChatClosed -k OpmlError -k QueryWarning \
		-k phrase -k counted_phrase:1,2 -k gettext_noop \
		--no-location --sort-output --width 145 --project newsbell --output $(VENV)/messages.pot bot
	@for language in $(LANGUAGES); do \
		$(BIN)/pybabel -q update --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date --width 145 \
			--locale $$language --input-file $(VENV)/messages.pot --output-file bot/i18n/locale/$$language.po || exit; \
	done

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
