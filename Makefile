# Everything a developer or operator does from a checkout. `make` alone lists it.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
DONE := .venv/done
# Work on the sources alone: nothing may start a database.
OFFLINE := TWIN_NO_DATABASE=1 DJANGO_SETTINGS_MODULE=twin.config.settings
CATALOGUES := $(shell find twin -name '*.po' 2>/dev/null)
STATIC := $(shell find twin -path '*/static/*' -type f 2>/dev/null)

.PHONY: help run world setup setup-server test check fix bench audit

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' Makefile

run: $(DONE)/runtime $(DONE)/messages $(DONE)/static ## serve Twin with its demonstration world at http://localhost:8000
	@exec $(BIN)/twin run

world: $(DONE)/runtime ## size=large: 10,000 companies more for the demonstration
	@$(BIN)/twin demo world --size $(or $(size),large)

setup: $(DONE)/runtime $(DONE)/dev $(DONE)/messages $(DONE)/static $(DONE)/browser $(DONE)/kannel ## the environment and the assets, nothing else
	@echo "Ready: make run, make test, make check."

setup-server: $(DONE)/runtime $(DONE)/messages $(DONE)/static ## what `twin serve` needs, without the tools of development
	@echo "Ready: .venv/bin/twin --help; docs/operations.md leads on."

test: setup ## all tests, those of the database also on the system's PostgreSQL when there is one
	@scripts/test

check: setup ## format, lint, types, import contracts, migrations made, architecture
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(OFFLINE) $(BIN)/mypy twin tests
	$(BIN)/lint-imports
	$(OFFLINE) $(BIN)/python -W ignore::RuntimeWarning -m django makemigrations --check --dry-run
	$(BIN)/pytest -q tests/architecture

fix: setup ## format and mend what the linter can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

audit: $(DONE)/dev $(DONE)/assets ## ask the registries for known weaknesses of the locked packages; needs the network
	@scripts/audit

bench: setup $(if $(filter large,$(size)),$(DONE)/bench) ## the measurements, each beside its anchor; size=large: millions of events, with DuckDB; size=growth: half an hour past memory; present=2000000 minutes=30 memory=1024 verify=60
	$(BIN)/python -m bench --size $(or $(size),quick) $(if $(present),--present $(present)) $(if $(companies),--companies $(companies)) $(if $(minutes),--minutes $(minutes)) $(if $(memory),--memory $(memory)) $(if $(verify),--verify $(verify))

$(DONE)/runtime: requirements/runtime.txt pyproject.toml scripts/environment
	@scripts/environment runtime

$(DONE)/dev: requirements/dev.txt $(DONE)/runtime
	@scripts/environment dev

$(DONE)/bench: requirements/bench.txt $(DONE)/dev
	@scripts/environment bench

$(DONE)/assets: $(wildcard frontend/package-lock.json) scripts/assets $(DONE)/runtime
	@scripts/assets

$(DONE)/messages: $(CATALOGUES) scripts/messages.py $(DONE)/runtime
	@$(BIN)/python scripts/messages.py && touch $@

$(DONE)/static: $(STATIC) $(DONE)/assets
	@$(OFFLINE) $(BIN)/python -m django collectstatic --noinput --verbosity 0 && touch $@

$(DONE)/browser: scripts/browser $(DONE)/dev
	@scripts/browser

$(DONE)/kannel: scripts/kannel $(DONE)/dev
	@scripts/kannel
