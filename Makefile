# Two commands: `make run` shows it working, `make test` proves it. `make help` lists the rest.
unexport PYTHONDONTWRITEBYTECODE
unexport PYTHONPATH
PYTHON ?=
export PYTHON

BIN := .venv/bin
COMMAND := $(BIN)/python -m historical_sync
PYTEST := $(BIN)/python -m pytest
SOAK_ROUNDS ?= 10
FAULTS := $(addprefix historical_sync_tests/,end_to_end/test_faults.py end_to_end/test_celery.py \
	orchestration/test_onboarding.py classification/test_kills.py github/test_kills.py github/test_faults.py)
SCENARIOS ?=
ROUNDS ?= 5

.PHONY: help run test e2e soak bench lint types schema audit ci clean
.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

.venv/installed: pyproject.toml constraints.txt .ci/environment
	@.ci/environment
	@touch $@

.venv/installed-dev: pyproject.toml constraints.txt .ci/environment
	@.ci/environment dev
	@touch .venv/installed $@

run: .venv/installed ## everything on this machine; with GITHUB_TOKEN set: make run TEAM=acme REPOS="acme/api acme/web"
ifneq ($(TEAM)$(REPOS),)
	@test -n "$(TEAM)" || { echo 'error: REPOS is set and TEAM is not: make run TEAM=acme REPOS="acme/api"' >&2; exit 2; }
	@test -n "$(REPOS)" || { echo 'error: TEAM is set and REPOS is not: make run TEAM=acme REPOS="acme/api"' >&2; exit 2; }
	@test -n "$$GITHUB_TOKEN$$GITHUB_TOKENS" || { echo 'error: set GITHUB_TOKEN to a token that may read $(REPOS)' >&2; exit 2; }
	@$(COMMAND) up --team "$(TEAM)" $(addprefix --repo ,$(REPOS))
else
	@$(COMMAND) up --sandbox
endif

test: .venv/installed-dev ## the test suite, without the tests that start Dagster's processes (make e2e)
	@.ci/packages
	$(PYTEST) -n 2 --dist worksteal -m "not daemon and not soak"

e2e: .venv/installed-dev ## whole onboardings with real processes, faults included
	@.ci/packages
	$(PYTEST) -m "daemon and not soak" --durations=15

soak: .venv/installed-dev ## the fault tests, SOAK_ROUNDS (10) times in a row, then once those that are only for this
	@.ci/packages
	for round in $$(seq $(SOAK_ROUNDS)); do echo "round $$round"; $(PYTEST) -x -m "not soak" $(FAULTS) || exit 1; done
	$(PYTEST) -m soak $(FAULTS)

bench: .venv/installed-dev ## measure, into docs/benchmarks.md; some of it: make bench SCENARIOS="tagging ingestion" ROUNDS=5
	$(BIN)/python -m bench --rounds $(ROUNDS) $(SCENARIOS)

lint: .venv/installed-dev ## ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/installed-dev ## mypy
	$(BIN)/mypy

schema: .venv/installed-dev ## the sandbox's schema and all our queries against GitHub's own schema
	.ci/schema/run

audit: .venv/installed-dev ## known vulnerabilities of the dependencies, and that they are the pinned ones
	$(BIN)/python .ci/audit.py

ci: ## all that must hold before a change lands
	.ci/run

clean: ## remove .venv and the caches; the data in .historical_sync stays
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis build *.egg-info
