# All that a user or contributor types. Each target sets up what it needs first.
PORT ?= 8080
WORKERS ?= 1
HOST ?= 127.0.0.1
CODES ?=
PROCESSES ?= 2

.PHONY: help setup setup-dev demo serve test test-long test-benchmarks check format load lock clean

help:                ## this list
	@grep -E '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup:               ## what a run needs, in .venv
	@tools/setup.sh run

setup-dev:           ## what the tests and checks need as well
	@tools/setup.sh dev

demo: setup          ## the main job on an embedded database, then serve it
	@.venv/bin/tracemark demo --port $(PORT)

serve: setup         ## serve everything on HOST:PORT
	@.venv/bin/tracemark serve all --host $(HOST) --port $(PORT) --workers $(WORKERS)

test: setup-dev      ## all tests, on a real PostgreSQL and a real browser
	@.venv/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --ignore tests/benchmarks

test-long: setup-dev ## the tests of properties with ten times the examples, about ten minutes
	@.venv/bin/python -m pytest -n 2 --hypothesis-profile long $$(grep -rlE 'from (hypothesis|tests.examples) import' tests --include='test_*.py')

test-benchmarks: setup-dev  ## the tests that run each benchmark at its smallest size
	@.venv/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder tests/benchmarks

check: setup-dev     ## format, lint, types, import contracts
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports

format: setup-dev    ## put the code in shape
	@.venv/bin/ruff format .
	@.venv/bin/ruff check --fix .

load: setup-dev      ## shoppers on a running portal (see load_tests/README.md)
	@codes="$(CODES)"; [ -n "$$codes" ] || codes=$$(.venv/bin/python -m load_tests.packs .venv/codes.csv); \
	.venv/bin/locust -f load_tests/locustfile.py --headless --only-summary --processes $(PROCESSES) --host http://$(HOST):$(PORT) \
	  --users 20 --spawn-rate 20 --run-time 30s --codes "$$codes"

lock: setup-dev      ## resolve the dependencies anew, with hashes and without an index address
	@.venv/bin/python -m uv --version >/dev/null 2>&1 || .venv/bin/python -m pip install --quiet uv
	@.venv/bin/python -m uv pip compile pyproject.toml --group dev --universal --generate-hashes --no-header --no-emit-index-url --python-version 3.11 --quiet -o requirements-dev.lock
	@.venv/bin/python -m uv pip compile pyproject.toml --group build --universal --generate-hashes --no-header --no-emit-index-url --python-version 3.11 --quiet -c requirements-dev.lock -o requirements.lock

clean:               ## remove what set-up and runs made (not var/)
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
