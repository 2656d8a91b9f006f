# The two commands: `make run` and `make test`. Each does its own set-up first, which takes no time once done.
# PYTHON=python3.12 chooses the interpreter; ARGS="..." is handed on to what the target runs.

BIN := .venv/bin
UV ?= uv
COMPILE = $(UV) pip compile --quiet --universal --generate-hashes --python-version 3.11 \
	--custom-compile-command "make lock"

.DEFAULT_GOAL := help
.PHONY: help run test soak lint format setup setup-dev lock clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

run: setup ## record: start the server and a client, speak, find the recording in ./audio (ARGS="--help" for more)
	@$(BIN)/plugandtell run $(ARGS)

test: lint ## check everything: style, types, import rules, tests (ARGS="-k gate" for some of the tests)
	@$(BIN)/pytest -n auto $(ARGS)

soak: setup-dev ## break lines, kill processes and attack sockets for SECONDS (600), from SEED on (ARGS="--help" for more)
	@SECONDS="$(SECONDS)" SEED="$(SEED)" COUNT="$(COUNT)" $(BIN)/python -m tests.faults $(ARGS)

lint: setup-dev ## check style, types and import rules only
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

format: setup-dev ## put the code into the house format and mend what can be mended
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix

setup: ## make the environment in .venv that `make run` needs
	@sh deploy/setup.sh run

setup-dev: ## the same with the tools that `make test` needs
	@sh deploy/setup.sh dev

lock: ## write requirements/ anew from pyproject.toml with uv (ARGS=--upgrade for newer releases)
	@command -v "$(UV)" >/dev/null || { echo "make lock needs uv: pipx install uv, or UV=path/to/uv" >&2; exit 1; }
	$(COMPILE) --output-file requirements/dev.txt --group dev --extra analytics --extra s3 $(ARGS) pyproject.toml requirements/build.in
	$(COMPILE) --output-file requirements/run.txt --constraint requirements/dev.txt --extra analytics $(ARGS) pyproject.toml requirements/build.in

clean: ## remove .venv, caches and builds; recordings and logs stay
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
