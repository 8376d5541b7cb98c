# Everything a person does in this checkout. `make` alone lists it.
#
# A machine needs python3 (3.11 or newer, with venv) and make; all else comes as wheels, by hash, into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# pyvips has no wheel. Where a system libvips is installed its build would bind to that one, and replace what
# pyvips-binary brings; without pkg-config files to find it can't. `$(PYVIPS)` installs it apart from the others and past
# pip's cache, in which a build of another day may lie that was made without this.
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install --no-build-isolation
INSTALL := $(PIP) --require-hashes
PYVIPS := sed -n '/^pyvips==/,/[^\\]$$/p' requirements.lock >$(VENV)/pyvips.lock && \
	PKG_CONFIG_PATH= PKG_CONFIG_LIBDIR=/nonexistent $(INSTALL) --no-deps --no-cache-dir -r $(VENV)/pyvips.lock
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-header --no-annotate

.DEFAULT_GOAL := help
.PHONY: help run test test-long lint format bench minio lock dist clean

help: ## List what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1\t\2/' | \
		while IFS="$$(printf '\t')" read -r name words; do printf '  make %-10s %s\n' "$$name" "$$words"; done

run: $(VENV)/.run ## Serve on 127.0.0.1:8080, in the foreground; Ctrl-C stops
	@exec $(BIN)/appliance serve

test: $(VENV)/.dev ## Run the tests, without the long ones (ARGS="-k name" for some)
	$(BIN)/python -m pytest -m "not long" $(ARGS)

test-long: $(VENV)/.dev ## Run all tests, the long ones too
	$(BIN)/python -m pytest $(ARGS)

lint: $(VENV)/.dev ## Check style, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev ## Bring the code into the house's form
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

bench: $(VENV)/.dev ## Run the benchmarks and print their tables
	@set -e; for program in $$(grep -l '^if __name__' benchmarks/*.py); do \
		$(BIN)/python -m benchmarks.$$(basename $$program .py); done

minio: $(VENV)/.dev ## Build the real MinIO that the tests run against
	PATH="$(CURDIR)/$(BIN):$$PATH" tests/minio/build.sh

lock: $(VENV)/.dev ## Pin the newest allowed versions of everything, by hash
	$(COMPILE) --upgrade --group pyproject.toml:build -o requirements-build.lock
	$(COMPILE) --upgrade -c requirements-build.lock pyproject.toml -o requirements.lock
	$(COMPILE) --upgrade -c requirements-build.lock -c requirements.lock --all-extras pyproject.toml -o requirements-dev.lock

dist: $(VENV)/.run ## Build the wheel into dist/
	$(BIN)/hatchling build -t wheel

clean: ## Remove what was installed and built here; data/ stays
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# What is installed is remembered in stamp files, so that a second run starts at once and a changed lock installs again.

$(VENV)/.made:
	@command -v $(PYTHON) >/dev/null || { echo "python3 is missing. On Debian: apt-get install python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; $$($(PYTHON) --version) is here. Another one: make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
		{ echo "Python's venv is missing. On Debian: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.run: $(VENV)/.made requirements-build.lock requirements.lock pyproject.toml
	$(INSTALL) -r requirements-build.lock
	$(PYVIPS)
	$(INSTALL) -r requirements.lock
	$(PIP) --no-deps --no-index --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.lock
	$(INSTALL) -r requirements-dev.lock
	@touch $@
