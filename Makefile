# gridcase: `make` alone prints what there is.
# Needs make and Python 3.11 or later; everything else comes into .venv from the package registry.

SHELL       := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS   += --no-print-directory

PYTHON      ?= python3
VENV        := .venv
BIN         := $(VENV)/bin
RUN_STAMP   := $(VENV)/.run-set
TEST_STAMP  := $(VENV)/.test-set

# What `make run` does after the set-up. Change it here and nowhere else.
RUN_COMMAND ?= $(BIN)/gridcase run --city cities/demo

SOURCES     := schemas rules kernel services cities cli
CHECKED     := $(wildcard $(SOURCES) tests bench tools)
QUICK_TESTS := $(wildcard tests/unit tests/property)
QUICK       := $(QUICK_TESTS:tests/%=quick-%)
PYTEST      := $(BIN)/python -m pytest
COMPILE     := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
               --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

##@ Start
.PHONY: help
help: ## this list
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@ / { printf "\n\033[1m%s\033[0m\n", substr($$0, 5) } \
	  /^[a-z][a-z-]*:.*## / { printf "  \033[36mmake %-9s\033[0m %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo

.PHONY: setup
setup: $(RUN_STAMP) ## .venv with what a city needs to run; costs nothing when it is up to date

.PHONY: run
run: setup ## live the demonstration day of cities/demo with a live view, then say what to try next
	@$(RUN_COMMAND)

##@ Work
.PHONY: check
check: $(TEST_STAMP) ## lint, format, types, imports and the quick tests: below 60 seconds
	@$(MAKE) -k -j2 --output-sync=target $(QUICK) types lint imports

.PHONY: test
test: $(TEST_STAMP) ## what CI runs: lint, types, imports and every test; says which real parts it has and what it skipped
	@$(MAKE) -k lint types imports
	@$(PYTEST) tests

.PHONY: fix
fix: $(TEST_STAMP) ## let ruff repair and format what it can
	@$(BIN)/ruff check --fix-only --quiet $(CHECKED)
	@$(BIN)/ruff format --quiet $(CHECKED)

.PHONY: soak
soak: $(TEST_STAMP) ## the long runs: ≥20,000 simulator seeds, every fault twenty times
	@GRIDCASE_SOAK=1 $(PYTEST) tests -m soak --timeout 0
	@GRIDCASE_SOAK=1 $(PYTEST) tests/simulator/test_seeds.py --timeout 0

.PHONY: bench
bench: $(TEST_STAMP) ## the table of numbers, each with its peer and its limit
	@$(BIN)/gridcase bench

.PHONY: peers
peers: ## build/peers with what `gridcase bench --only kafka` measures against
	@$(HAS_PYTHON)
	@$(PYTHON) -m venv --clear build/peers
	@build/peers/bin/python -m pip --quiet --disable-pip-version-check --no-input \
	  install --require-hashes --no-deps --requirement requirements/peers.txt

##@ Generated files
.PHONY: schemas
schemas: $(TEST_STAMP) ## write schemas/published from the models
	@$(BIN)/python -m schemas.publish

.PHONY: docs
docs: $(TEST_STAMP) schemas ## write what is generated under docs/reference
	@$(BIN)/python tools/docs.py

.PHONY: lock
lock: $(TEST_STAMP) ## resolve requirements/*.txt anew (the only step that chooses versions)
	@$(COMPILE) $(UPGRADE) pyproject.toml requirements/build.in --extra postgres --output-file requirements/run.txt
	@$(COMPILE) $(UPGRADE) pyproject.toml requirements/build.in --constraints requirements/run.txt \
	  --all-extras --output-file requirements/test.txt
	@$(COMPILE) $(UPGRADE) pyproject.toml requirements/build.in --constraints requirements/test.txt \
	  --extra postgres --extra kafka --output-file requirements/image.txt
	@$(COMPILE) $(UPGRADE) pyproject.toml requirements/peers.in --extra kafka --output-file requirements/peers.txt

##@ House
.PHONY: clean
clean: ## remove .venv, caches and build leftovers; never a city
	@rm -rf $(VENV) build dist *.egg-info .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find $(wildcard $(SOURCES) tests bench tools) -name __pycache__ -type d -prune -exec rm -rf {} +

# The parts of `check` and `test`.
.PHONY: $(QUICK) lint types imports
$(QUICK): quick-%:
	@$(PYTEST) -q tests/$*
lint:
	@$(BIN)/ruff check --quiet $(CHECKED)
	@$(BIN)/ruff format --check --quiet $(CHECKED)
types:
	@$(BIN)/basedpyright --level error
imports:
	@$(BIN)/lint-imports --no-logo

HAS_PYTHON = command -v $(PYTHON) >/dev/null 2>&1 || { echo "gridcase: expected Python 3.11 or later as $(PYTHON);" \
  "found none; do: install it, then make setup PYTHON=/path/to/python3.11" >&2; exit 2; }

# A stamp is newer than the lock it was installed from; a second `make setup` compares two dates and ends.
$(RUN_STAMP): requirements/run.txt pyproject.toml tools/setup.py
	@$(HAS_PYTHON)
	@$(PYTHON) tools/setup.py run
$(TEST_STAMP): requirements/test.txt $(RUN_STAMP)
	@$(HAS_PYTHON)
	@$(PYTHON) tools/setup.py test
