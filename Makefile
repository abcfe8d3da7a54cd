# The front door. `make` or `make help` lists what there is; each target is a command or two.
# Needs make and Python >= 3.11; everything else goes into .venv. Another Python: make … PYTHON=python3.12

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test test-fast checks mutate soak soak-properties scale lint types generate check-generated mutate-spec lint-spec
.PHONY: test-all coverage hooks release-check format wheel bench clean agent-env dev-env
.PHONY: spec-lint spec-diff spec-pull public-api lock test-latest test-install test-rays

BIN := .venv/bin
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
export PYTHON
export MAKE_GOAL := $(firstword $(MAKECMDGOALS))
# The child processes of tests and demo find the environment's own `python` and `synapse-agent` first.
export PATH := $(CURDIR)/$(BIN):$(PATH)

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: agent-env ## Start an agent with its own Ray, run examples/quickstart.py against it, stop it all (PORT=8123)
	@$(BIN)/python scripts/demo.py --port $(PORT)

# The checks run beside the tests, which wait for each other more than for a processor; what they print comes last.
test: dev-env ## Everything CI runs: generated code, lint, types, spec, installs, tests (WORKERS=2)
	@mkdir -p .cache
	@$(MAKE) --no-print-directory -o dev-env checks >.cache/checks.log 2>&1 & checks=$$!; \
	$(PYTEST) $(PYTEST_ARGS); tests=$$?; \
	wait $$checks; checks=$$?; cat .cache/checks.log; \
	exit $$((tests || checks))

checks: check-generated lint types spec-lint test-install

test-fast: dev-env ## The quick tests, for between edits: no Ray, no containers, no other environments (PYTEST_ARGS="-k tail -x")
	$(PYTEST) -m "not ray and not containers and not slow and not heavy" $(PYTEST_ARGS)

# The first time it runs the tests once more, to see which lines each of them runs.
mutate: dev-env ## Change streaming/, the REST core and the agent's logs in 320 places, and see which changes a test notices (MUTANTS=320)
	test -e .cache/mutate/record.json || $(BIN)/python -m tools.mutate record
	$(BIN)/python -m tools.mutate run --mutants $(MUTANTS)

test-install: dev-env ## The wheel as users install it: each extra alone, newest and lowest versions (ONLY= OVERRIDE=)
	PYTHONPATH=tests $(BIN)/python -m install --ray $(if $(ONLY),--only $(ONLY)) $(if $(OVERRIDE),--override '$(OVERRIDE)')

test-latest: dev-env ## The quick tests without the lock, on the newest versions, in an environment of its own (PYTEST_ARGS)
	$(BIN)/nox -s tests-$$($(BIN)/python -c 'import sys; print("%d.%d" % sys.version_info[:2])') -- $(PYTEST_ARGS)

test-all: dev-env ## The quick tests of the wheel on each Python here, and with the lowest versions (NOX_ARGS="-s lowest")
	$(BIN)/nox $(NOX_ARGS)

coverage: dev-env ## All tests under coverage: 95 % of all hand-written code, 100 % of streaming/ (PYTEST_ARGS=tests/unit)
	@mkdir -p .cache/coverage
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -m "not heavy" $(PYTEST_ARGS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report
	@$(BIN)/coverage json --quiet -o .cache/coverage/report.json
	@$(BIN)/python scripts/coverage_report.py .cache/coverage/report.json

soak: dev-env ## Tails through a network that breaks, by the seed (SEEDS=1000 START=0; RAY=1: real jobs, broken Rays)
	PYTHONPATH=tests $(BIN)/python -m chaos --seeds $(SEEDS) --start $(START) $(if $(RAY),--ray)
	$(if $(RAY),PYTHONPATH=tests $(BIN)/python -m chaos --seeds $(SEEDS) --start $(START) --cluster)
	$(if $(RAY),SYNAPSE_TEST_BREAKS=1 $(BIN)/python -m pytest tests/e2e/test_log_breaks.py $(PYTEST_ARGS))

# Each version in an environment of its own below .cache/rays: 400 MB and a minute each, the first time.
test-rays: dev-env ## The agent's logs before other versions of Ray; prints a table (RAYS="2.9.3 newest")
	$(BIN)/python scripts/test_rays.py $(RAYS)

soak-properties: dev-env ## The property tests with other examples, and more of them (EXAMPLES=2000)
	SOAK_EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest tests/streaming/test_properties.py $(PYTEST_ARGS)

scale: dev-env ## A gigabyte of log in a million lines, and a thousand tails at once: prints what they cost (RAY=1: of real jobs)
	PYTHONPATH=tests $(BIN)/python -m scale$(if $(RAY),.ray_logs)

lint: dev-env ## ruff (rules, format), codespell, deptry (dependencies), the lock, vulture (dead code)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/deptry src generated
	$(BIN)/python scripts/lock.py --check
	$(BIN)/vulture

lock: dev-env ## Write requirements/*.lock with the newest versions (KEEP=1: only what pyproject.toml asks for)
	$(BIN)/python scripts/lock.py $(if $(KEEP),--keep)

hooks: dev-env ## Have git run the same, on what changed, before every commit
	$(BIN)/pre-commit install

format: dev-env ## Let ruff fix and format what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: dev-env ## mypy and pyright, both strict, and ty
	$(BIN)/mypy
	$(BIN)/pyright
	$(BIN)/ty check --python $(BIN)/python

generate: dev-env ## Write generated/ and the agent's openapi.json from the spec and templates/
	@$(BIN)/python -m tools.codegen
	@$(BIN)/python -m tools.spec.agent_document

check-generated: dev-env ## Fail when generated/ is not what spec and templates give
	$(BIN)/python -m tools.codegen --check
	@$(BIN)/python -m tools.spec.agent_document --check

mutate-spec: dev-env ## Change the spec in thirty ways and show what notices each (ONLY="enum security")
	$(BIN)/python -m tools.spec.mutate $(ONLY)

spec-lint: dev-env ## Check the spec: our rules, openapi-spec-validator, Redocly's (SPEC=other.yaml)
	@$(BIN)/python -m tools.spec.lint $(SPEC)

lint-spec: spec-lint

spec-pull: dev-env ## What a running agent's openapi.json says and the spec doesn't (URL=… TAKE="1 3" or TAKE=all)
	@$(BIN)/python -m tools.spec.pull $(if $(URL),'$(URL)',$(error URL=... is needed: an agent's)) --take '$(TAKE)'

spec-diff: dev-env ## What changed in the spec, and whom it breaks (BASE=a git ref, a file, an agent's URL)
	@$(BIN)/python -m tools.spec.diff $(if $(BASE),'$(BASE)',$(error BASE=... is needed: a git ref, a file or a URL))

public-api: dev-env ## Write public-api.txt: the exported names and signatures, which a test holds the code to
	@$(BIN)/python -m tools.public_api --write

wheel: dev-env ## Build dist/*.whl
	$(BIN)/python -m hatchling build --target wheel --directory dist

release-check: dev-env ## Say whether this commit can be released, and build it into dist/
	$(BIN)/python scripts/release_check.py

# Makes environments of its own below .cache/bench; the first time takes some minutes and 1 GB.
bench: ## Measure this beside its peers, write docs/benchmarks.svg (ROWS="ws* get-job" ROUNDS=5 QUICK=1)
	@$(or $(PYTHON),python3) -m benchmarks --rows "$(ROWS)" --rounds $(ROUNDS) $(if $(QUICK),--quick)

clean: ## Remove .venv, caches and build results
	rm -rf .venv .nox .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
	find src generated scripts tools tests examples -name __pycache__ -type d -prune -exec rm -rf {} +
	rm -rf site

agent-env:
	@scripts/setup.sh agent

dev-env:
	@scripts/setup.sh dev

.PHONY: docs docs-serve screenshots

docs: dev-env ## Build the documentation into site/; fails at a broken link, anchor or reference
	$(BIN)/python scripts/docs build --strict
	SYNAPSE_TEST_SITE=site $(BIN)/python -m pytest -q tests/docs/test_site.py

docs-serve: dev-env ## Show the documentation at http://127.0.0.1:8001/ while it is written (PORT=8123)
	$(BIN)/python scripts/docs serve --port $(if $(filter 0,$(PORT)),8001,$(PORT))

screenshots: dev-env ## Draw docs/assets/*.svg anew: the command in a terminal, against a real agent
	$(BIN)/python scripts/screenshots.py
