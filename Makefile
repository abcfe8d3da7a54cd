# The front door. `make` or `make help` lists the targets of everyday work; DO= picks a variant of those that have some.
# Needs make and Python >= 3.11; everything else goes into .venv. Another Python: make … PYTHON=python3.12

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test test-fast test-all coverage soak lint types generate spec docs bench lock release-check
.PHONY: agent-env dev-env format hooks clean wheel check-generated public-api spec-lint spec-diff spec-pull spec-mutate
.PHONY: lint-spec mutate-spec test-pythons test-latest test-install test-rays soak-tails soak-properties soak-scale scale
.PHONY: docs-build docs-serve docs-pictures screenshots write-generated checks mutate

BIN := .venv/bin
# By another name, or `make -n` would run what a line that names it does besides.
SELF = $(MAKE)
PYTEST = $(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup
PORT ?= 0
PYTEST_ARGS ?=
WORKERS ?= 2
MUTANTS ?= 320
NOX_ARGS ?=
SEEDS ?= 1000
START ?= 0
RAYS ?=
KEEP ?=
ONLY ?=
OVERRIDE ?=
EXAMPLES ?= 2000
ROWS ?=
ROUNDS ?= 5
QUICK ?=
SPEC ?=
BASE ?=
URL ?=
TAKE ?=
DO ?=
FIX ?=
export PYTHON
export MAKE_GOAL := $(firstword $(MAKECMDGOALS))
# The child processes of tests and demo find the environment's own `python` and `synapse-agent` first.
export PATH := $(CURDIR)/$(BIN):$(PATH)

help:
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: agent-env ## Start an agent with its own Ray, run examples/quickstart.py against it, stop both (PORT=8123)
	@$(BIN)/python scripts/demo.py --port $(PORT)

# The checks run beside the tests, which wait for each other more than for a processor; what they print comes last.
test: dev-env ## Everything CI runs: generated code, lint, types, spec, installs, tests (WORKERS=2)
	@mkdir -p .cache
	@$(SELF) --no-print-directory -o dev-env checks >.cache/checks.log 2>&1 & checks=$$!; \
	$(PYTEST) $(PYTEST_ARGS); tests=$$?; \
	wait $$checks; checks=$$?; cat .cache/checks.log; \
	exit $$((tests || checks))

checks: check-generated lint types spec-lint test-install

test-fast: dev-env ## The quick tests, for between edits: no Ray, no containers, no other programs (PYTEST_ARGS="-k tail -x")
	$(PYTEST) -m "not ray and not containers and not slow and not heavy" $(PYTEST_ARGS)

# Changes streaming/, the REST core and the agent's logs in MUTANTS places, and shows which changes a test notices. The
# first time it runs the tests once more, to see which lines each of them runs.
mutate: dev-env
	test -e .cache/mutate/record.json || $(BIN)/python -m tools.mutate record
	$(BIN)/python -m tools.mutate run --mutants $(MUTANTS)

test-all: test-$(or $(DO),pythons) ## The tests in other environments (DO=pythons, latest, install or rays)

coverage: dev-env ## All tests under coverage: 95 % of all hand-written code, 100 % of streaming/ (PYTEST_ARGS=tests/unit)
	@mkdir -p .cache/coverage
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -m "not heavy" $(PYTEST_ARGS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report
	@$(BIN)/coverage json --quiet -o .cache/coverage/report.json
	@$(BIN)/python scripts/coverage_report.py .cache/coverage/report.json

soak: soak-$(or $(DO),tails) ## Log tails for a long time, with faults by seed (SEEDS=1000 RAY=1 DO=tails, properties or scale)

lint: dev-env ## ruff, codespell, deptry, the lock, vulture, plain English (FIX=1 lets ruff fix and format first)
	$(if $(FIX),$(BIN)/ruff check --fix .)
	$(if $(FIX),$(BIN)/ruff format .)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/deptry src generated
	$(BIN)/python scripts/lock.py --check
	$(BIN)/vulture
	$(BIN)/python -m tools.plain_english

types: dev-env ## mypy and pyright, both strict, and ty
	$(BIN)/mypy
	$(BIN)/pyright
	$(BIN)/ty check --python $(BIN)/python

generate: dev-env public-api ## Write generated/, the agent's openapi.json and public-api.txt from spec/ and templates/

spec: spec-$(or $(DO),lint) ## The spec (DO=lint SPEC=other.yaml, diff BASE=main, pull URL=… TAKE="1 3", or mutate ONLY=enum)

docs: docs-$(or $(DO),build) ## Build the documentation into site/ and check it (DO=build, serve PORT=8001, or pictures)

# Makes environments of its own below .cache/bench; the first time takes some minutes and 1 GB.
bench: ## Compare the cost with other clients, write docs/benchmarks.svg (ROWS="ws* get-job" ROUNDS=5 QUICK=1)
	@$(or $(PYTHON),python3) -m benchmarks --rows "$(ROWS)" --rounds $(ROUNDS) $(if $(QUICK),--quick)

lock: dev-env ## Write requirements/*.lock with the newest versions (KEEP=1: only what pyproject.toml asks for)
	$(BIN)/python scripts/lock.py $(if $(KEEP),--keep)

release-check: dev-env ## Check whether this commit can be released, and build it into dist/
	$(BIN)/python scripts/release_check.py

# Steps and variants of the targets above, and what is needed once.

agent-env:
	@scripts/setup.sh agent

dev-env:
	@scripts/setup.sh dev

format: dev-env
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Run the linters on the changed files before every commit.
hooks: dev-env
	$(BIN)/pre-commit install

clean:
	rm -rf .venv .nox .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist site
	find src generated scripts tools tests examples -name __pycache__ -type d -prune -exec rm -rf {} +

wheel: dev-env
	$(BIN)/python -m hatchling build --target wheel --directory dist

check-generated: dev-env
	$(BIN)/python -m tools.codegen --check
	@$(BIN)/python -m tools.spec.agent_document --check

write-generated: dev-env
	@$(BIN)/python -m tools.codegen
	@$(BIN)/python -m tools.spec.agent_document

# Reads the generated code, so it comes after it.
public-api: write-generated
	@$(BIN)/python -m tools.public_api --write

spec-lint: dev-env
	@$(BIN)/python -m tools.spec.lint $(SPEC)

spec-diff: dev-env
	@$(BIN)/python -m tools.spec.diff $(if $(BASE),'$(BASE)',$(error BASE=... is needed: a git ref, a file or a URL))

spec-pull: dev-env
	@$(BIN)/python -m tools.spec.pull $(if $(URL),'$(URL)',$(error URL=... is needed: an agent's)) --take '$(TAKE)'

spec-mutate: dev-env
	$(BIN)/python -m tools.spec.mutate $(ONLY)

lint-spec: spec-lint
mutate-spec: spec-mutate

# The built wheel on each Python found here, and with the lowest versions (NOX_ARGS="-s lowest").
test-pythons: dev-env
	$(BIN)/nox $(NOX_ARGS)

# The quick tests with the newest versions instead of the locked ones, in another environment (PYTEST_ARGS).
test-latest: dev-env
	$(BIN)/nox -s tests-$$($(BIN)/python -c 'import sys; print("%d.%d" % sys.version_info[:2])') -- $(PYTEST_ARGS)

# The wheel as users install it: each extra alone, with the newest and the lowest versions (ONLY= OVERRIDE=).
test-install: dev-env
	PYTHONPATH=tests $(BIN)/python -m install --ray $(if $(ONLY),--only $(ONLY)) $(if $(OVERRIDE),--override '$(OVERRIDE)')

# The agent's logs with other versions of Ray (RAYS="2.9.3 newest"). Each version has its own environment below
# .cache/rays: 400 MB and a minute, the first time.
test-rays: dev-env
	$(BIN)/python scripts/test_rays.py $(RAYS)

soak-tails: dev-env
	PYTHONPATH=tests $(BIN)/python -m chaos --seeds $(SEEDS) --start $(START) $(if $(RAY),--ray)
	$(if $(RAY),PYTHONPATH=tests $(BIN)/python -m chaos --seeds $(SEEDS) --start $(START) --cluster)
	$(if $(RAY),SYNAPSE_TEST_BREAKS=1 $(BIN)/python -m pytest tests/e2e/test_log_breaks.py $(PYTEST_ARGS))

# The property tests with new examples (EXAMPLES=2000).
soak-properties: dev-env
	SOAK_EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest tests/streaming/test_properties.py $(PYTEST_ARGS)

# A log of a million lines, and a thousand tails at once: print what they cost (RAY=1: of real jobs).
soak-scale: dev-env
	PYTHONPATH=tests $(BIN)/python -m scale$(if $(RAY),.ray_logs)

scale: soak-scale

docs-build: dev-env
	$(BIN)/python scripts/docs build --strict
	SYNAPSE_TEST_SITE=site $(BIN)/python -m pytest -q tests/docs/test_site.py

docs-serve: dev-env
	$(BIN)/python scripts/docs serve --port $(if $(filter 0,$(PORT)),8001,$(PORT))

# The pictures of docs/assets: the command in a terminal, with a real agent.
docs-pictures: dev-env
	$(BIN)/python scripts/screenshots.py

screenshots: docs-pictures
