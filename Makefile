# Two commands: `make run` shows it working, `make test` proves it. `make help` lists the rest.
unexport PYTHONDONTWRITEBYTECODE
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help run test lint types
help: ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

run: .venv/installed ## everything on this machine: sandbox, Dagster, the page
	$(BIN)/historical-sync up --sandbox

test: .venv/installed ## the whole test suite
	$(BIN)/python -m pytest -n 2 --dist loadgroup

lint: .venv/installed ## ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/installed ## mypy
	$(BIN)/mypy
