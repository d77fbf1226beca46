# The commands of daily work; `make help` lists them.
# Requires only python3 (>= 3.11): the rest is installed into .forewarn/ and .venv/.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	if $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then echo $$p; break; fi; done)
CHROMIUM ?= $(shell command -v chromium || command -v chromium-browser || command -v google-chrome || true)
BOOTSTRAP := libs/forewarn-local/src/forewarn_local/bootstrap.py
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
SERVER_TESTS := tests/integration tests/e2e tests/containers
DATA ?= ../shared/data
export CHROMIUM

.PHONY: help setup run status stop clean distclean check fmt lint type imports spelling schemas schemas-check \
	test test-unit test-integration test-servers test-timing test-browser test-containers bench abuse scenarios evaluate up down logs env-run env-dev

help: ## Show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

env-run env-dev:
	@if [ -z "$(PYTHON)" ]; then \
		echo "Forewarn needs Python 3.11 or newer, and none was found on PATH (looked for python3.13, python3.12," \
			"python3.11, python3). Install one, e.g. 'apt install python3 python3-venv', or name it:" \
			"make $(MAKECMDGOALS) PYTHON=/path/to/python3" >&2; exit 1; fi
	@$(PYTHON) $(BOOTSTRAP) . $(@:env-%=%)

setup: env-dev ## Install everything for development into .venv

run: env-run ## Start the whole platform on this machine; Ctrl-C stops it
	@exec $(BIN)/forewarn up

status: env-run ## Show which processes run, readiness, CPU, memory and disk
	@$(BIN)/forewarn status

stop: env-run ## Stop a platform started in another terminal
	@$(BIN)/forewarn down

clean: env-run ## Delete all data (readings, models, alarms); keep environment and downloads
	@$(BIN)/forewarn clean

distclean: ## Delete data, environment and tool caches
	@if [ -x $(BIN)/forewarn ]; then $(BIN)/forewarn clean; fi
	rm -rf .forewarn .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@echo "Kept: the shared download cache ($${FOREWARN_CACHE:-~/.cache/forewarn}) and .env."

check: env-dev lint type imports spelling schemas-check test-unit ## The fast part of what CI runs

fmt: env-dev ## Format the code and apply safe fixes
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format .

lint: env-dev ## Style and formatting
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

type: env-dev ## Static types (mypy, strict)
	@$(BIN)/mypy

imports: env-dev ## Layer rules
	@$(BIN)/lint-imports

spelling: env-dev ## Spelling of everything in git
	@git ls-files -z | xargs -0 $(BIN)/codespell

schemas: env-dev ## Regenerate schemas/ from the contracts
	@$(BIN)/python -m forewarn.runtime.export_schemas
	@$(BIN)/python -m forewarn_api.export_openapi

schemas-check: env-dev ## Fail if schemas/ differs from the contracts
	@$(BIN)/python -m forewarn.runtime.export_schemas --check
	@$(BIN)/python -m forewarn_api.export_openapi --check

test: env-dev ## Everything CI runs: check, integration, browser, containers
	@.ci/phases

test-unit: env-dev ## Unit and contract tests: no server, no network
	@$(PYTEST) --numprocesses 2 $(wildcard tests/unit tests/contract)

test-integration: test-servers test-timing ## Both of the next two: tests on real brokers and databases

# They mostly wait for servers, so more of them run at once than there are cores.
test-servers: env-dev ## Tests on real servers, several at a time
	@$(PYTEST) --numprocesses 3 --dist worksteal -m "not (browser or containers or timing)" $(SERVER_TESTS)

test-timing: env-dev ## Tests on real servers that measure time, one at a time
	@$(PYTEST) -m "timing and not (browser or containers)" $(SERVER_TESTS)

test-browser: env-dev ## Tests that drive the dashboard in headless Chromium
	@if [ -z "$(CHROMIUM)" ]; then \
		echo "The browser tests need Chromium, and none is on PATH. Install it, e.g. 'apt install chromium', or" \
			"name it: make test-browser CHROMIUM=/path/to/chromium" >&2; exit 1; fi
	@$(PYTEST) --numprocesses 2 --dist worksteal -m "browser and not containers" $(SERVER_TESTS)

test-containers: env-dev ## Tests of the composed platform; skipped with a notice without a Docker engine
	@if docker info >/dev/null 2>&1; then \
		$(PYTEST) --numprocesses 2 --dist loadfile -m containers $(SERVER_TESTS); \
	else echo "SKIPPED: the container tests, because no Docker engine answers" \
		"(docker info fails; DOCKER_HOST=$${DOCKER_HOST:-unset}). Start one and run make test-containers."; fi

bench: env-dev ## Measure throughput and latency of the whole platform on this machine
	@$(BIN)/python tests/bench/run.py

abuse: env-dev ## Attack a running platform with broken and hostile input (infra/docs/hostile-input.md)
	@$(BIN)/python tests/bench/abuse/run.py

scenarios: env-dev ## Play every scenario and print what was detected when (libs/forewarn/docs/scenarios.md)
	@$(BIN)/python tests/bench/scenarios.py

evaluate: env-dev ## Print figures on published data sets (DATA=folder with skab, nab, cmapss), on the simulator, and of speed
	@$(BIN)/forewarn evaluate skab --data $(DATA)/skab
	@$(BIN)/forewarn evaluate nab --data $(DATA)/nab
	@$(BIN)/forewarn evaluate cmapss --data $(DATA)/cmapss
	@$(BIN)/python tests/bench/simulator.py
	@$(BIN)/python tests/bench/run.py --only micro

up: ## Start the platform in containers (docker compose)
	docker compose up --build --detach --wait

down: ## Stop the containers; data volumes stay
	docker compose down

logs: ## Follow the logs of the containers
	docker compose logs --follow --tail 50
