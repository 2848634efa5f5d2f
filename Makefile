# The only list of commands. `make help` prints it.

.DEFAULT_GOAL := help
.PHONY: help run setup test soak check format-check lint types imports \
        dependencies secrets shape docs-check docs format bench lock

BIN := .venv/bin
# Three workers for two cores, as much of a test is waiting; they keep the order of the
# tests, and each group on one of them.
PARALLEL := --numprocesses=3 --dist=loadgroup --no-loadscope-reorder
LOCK := uv pip compile pyproject.toml --extra email --extra postgres --extra redis --extra worker --group build \
        --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
        --no-header --exclude-newer "7 days" --quiet

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile

run: ## Install what is needed to run, then serve http://127.0.0.1:8000
	@scripts/install.sh runtime
	@exec $(BIN)/ops serve

setup: ## Install what is needed to run and to develop
	@scripts/install.sh dev

test: setup ## Run the tests, the fast ones first
	@$(BIN)/python -m pytest $(PARALLEL)

soak: setup ## Run the long fault and fuzz suites
	@$(BIN)/python -m pytest -m soak

check: format-check lint types imports dependencies secrets shape docs-check ## Run every check that is no test

format-check: setup
	@$(BIN)/ruff format --check .

lint: setup
	@$(BIN)/ruff check .

types: setup
	@$(BIN)/mypy

imports: setup
	@$(BIN)/lint-imports

dependencies: setup
	@$(BIN)/deptry .

secrets: setup
	@git ls-files -z | xargs -0 $(BIN)/detect-secrets-hook --baseline .secrets.baseline

shape: setup ## Measure the code against the shape we aim for
	@$(BIN)/python -m scripts.shape

docs-check: setup
	@$(BIN)/python -m scripts.check_docs
	@$(BIN)/ops docs --check

docs: setup ## Write the reference pages from the code
	@$(BIN)/ops docs

format: setup ## Format the code and mend what the linter can
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

bench: setup ## Run the benchmarks and print their ratios
	@$(BIN)/python -m benchmarks

lock: ## Lock the dependencies anew, none younger than a week (needs uv)
	@command -v uv >/dev/null || { echo "make lock needs uv" >&2; exit 1; }
	@$(LOCK) --upgrade -o requirements.lock
	@$(LOCK) --extra agents --upgrade --group dev -o requirements-dev.lock
