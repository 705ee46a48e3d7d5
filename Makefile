# Labohub. `make help` lists what can be done.
SHELL := /bin/bash
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
DEMO_EXIT ?= 0
PACKAGES := libs/labohub services/*/ simulators/labosim deploy/embedded
SOURCES := libs services simulators deploy tests examples

##@ Use it
.PHONY: help setup demo run
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.ready ## Install the pinned packages and the workspace's members, editable, into .venv

$(VENV)/.ready: requirements/lock.txt requirements/workspace.txt services/*/pyproject.toml libs/*/pyproject.toml simulators/*/pyproject.toml deploy/embedded/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed (make PYTHON=…)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { deploy/test-servers/install.sh python && $(PYTHON) -m venv --clear $(VENV); }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/lock.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -r requirements/workspace.txt
	@touch $@

demo: setup ## Run the hub, the simulators and the console, play the sample day, show one report's way (DEMO_EXIT=1: then stop)
	DEMO_EXIT=$(DEMO_EXIT) $(BIN)/labohub demo

run: setup ## Run the hub, the simulators and the console; send nothing
	$(BIN)/labohub up --simulators

##@ Check it
.PHONY: test test-fast lint types layers format check bench servers mutations
servers: setup ## Install what the tests use: Kafka, PostgreSQL, Postfix, Dovecot, Chromium, other people's MLLP clients
	deploy/test-servers/install.sh
	deploy/kafka/kafka.py fetch
	deploy/test-peers/peers.py fetch

test: servers ## Run every test, on real Kafka, PostgreSQL and mail servers
	$(BIN)/python -m pytest $(T)

test-fast: setup ## Run the tests that need no server
	$(BIN)/python -m pytest tests/unit tests/property $(T)

lint: setup ## Look for mistakes and for style (ruff)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup ## Check the types (mypy, strict)
	$(BIN)/mypy $(wildcard libs/labohub/labohub services/*/[a-z]*_[a-z]* services/console/console simulators/labosim/labosim deploy/embedded/embedded)

layers: setup ## Check who may import whom
	$(BIN)/lint-imports

format: setup ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

check: lint types layers ## Lint, types, layers, and generated files up to date
	$(BIN)/labohub schemas --check
	$(BIN)/labohub settings --check

mutations: setup ## Break 480 documents and compare the verdicts with the plain official rules
	LABOHUB_MUTATIONS=480 $(BIN)/python -m pytest -s tests/integration/cda_builder/test_equal_verdicts.py

bench: setup ## Measure: durable acks, reports end to end, CPU and memory (figures in docs/benchmarks.md)
	$(BIN)/python -m tests.bench $(B)

.PHONY: screenshots
screenshots: servers ## Draw docs/cda again: reports as a page in Chromium and as PDF
	$(BIN)/python -m tests.screenshots

FUZZ_SECONDS ?= 900
.PHONY: fuzz
fuzz: setup ## Fuzz the readers of HL7, guided by coverage, at low priority (FUZZ_SECONDS=900)
	nice -n 19 $(BIN)/python -m tests.fuzz --seconds $(FUZZ_SECONDS)

##@ Keep it
.PHONY: schemas lock image
schemas: setup ## Generate the events' JSON Schemas and the settings' page
	$(BIN)/labohub schemas
	$(BIN)/labohub settings

lock: ## Pin the packages again, with hashes, from requirements/*.in
	$(PYTHON) -m venv $(VENV)-lock && $(VENV)-lock/bin/pip install --quiet pip-tools
	$(VENV)-lock/bin/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-header --output-file requirements/lock.txt requirements/runtime.in requirements/dev.in
	rm -rf $(VENV)-lock

image: ## Build one service's container image (SERVICE=mss-sender)
	docker build --build-arg SERVICE=$(SERVICE) -f deploy/Dockerfile -t labohub/$(SERVICE) .
