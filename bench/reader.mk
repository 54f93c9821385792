# The environment of the peer `lemon24/reader`, kept apart from ours: its vendored parser wants sgmllib3k.
# From the repository root:  make -f bench/reader.mk reader-env
READER_ENV ?= .venv-reader

.PHONY: reader-env reader-lock

reader-env: $(READER_ENV)/done

$(READER_ENV)/done: bench/lock/reader.txt
	python3 -m venv $(READER_ENV)
	$(READER_ENV)/bin/python -m pip install --quiet --require-hashes -r bench/lock/reader.txt
	touch $@

# Versions and hashes, no addresses.
reader-lock:
	uv pip compile --quiet --python-version 3.11 --generate-hashes --no-annotate --no-header \
		--no-emit-index-url bench/lock/reader.in -o bench/lock/reader.txt
	! grep -n '://' bench/lock/reader.txt
