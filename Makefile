# Service quality: `make` alone lists what can be done. Needs make and Python 3.11, 3.12 or 3.13.

PYTHON ?= python3
VENV ?= .venv
RUN := $(VENV)/bin
CODE = $(wildcard conftest.py functions spark_jobs model_export infra reports cli examples tools tests benchmarks)
UNIT = $(wildcard tests/unit tests/architecture functions/shared/service_quality reports cli tools)

export PYSPARK_PYTHON := $(CURDIR)/$(RUN)/python
export SPARK_LOCAL_IP := 127.0.0.1
export TZ := UTC
unexport PYTHONDONTWRITEBYTECODE # without compiled modules every process would compile everything
export PYTHONPATH := $(CURDIR):$(CURDIR)/functions/shared

.DEFAULT_GOAL := help
.PHONY: help setup demo test unit check format bench simulate build lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile
	@echo "  PYTHON=python3.12 with any of them names a Python, VENV=.venv-3.12 an environment of its own for it"

setup: ## Bring everything that is needed into this folder (the others call it)
	@$(PYTHON) -m tools.setup --venv $(VENV)

demo: setup ## Contacts in, alerts out, proofs beside them [CONTACTS=FILE SPLIT=YYYY-MM-DD POLICY=FILE TIME_ZONE=ZONE CURRENCY=CODE REPORT=FILE SCORES=FILE KEEP=1]
	@JAVA_HOME="$$($(RUN)/python -m cli.java)" $(RUN)/python -m infra.local demo \
		$(if $(CONTACTS),--contacts "$(CONTACTS)") $(if $(SPLIT),--split "$(SPLIT)") \
		$(if $(POLICY),--policy "$(POLICY)") $(if $(REPORT),--report "$(REPORT)") $(if $(SCORES),--scores "$(SCORES)") $(if $(KEEP),--keep) \
		$(if $(TIME_ZONE),--time-zone "$(TIME_ZONE)") $(if $(CURRENCY),--currency "$(CURRENCY)")

test: setup ## The tests that take less than a minute each; the others by ARGS="-m long" [ARGS=...]
	@$(RUN)/python -m pytest -n 2 --dist loadgroup -m "not long" $(ARGS)

unit: setup ## The quick tests: unit, architecture, examples in docstrings [ARGS=...]
	@$(RUN)/python -m pytest -q -n 2 --dist loadgroup -m "not spark and not aws and not slow" $(UNIT) $(ARGS)

check: setup ## What a commit must pass: format, lint, types, quick tests, also those of the templates
	$(RUN)/ruff format --check .
	$(RUN)/ruff check .
	$(RUN)/mypy $(CODE)
	@$(MAKE) --no-print-directory unit ARGS=tests/infrastructure

format: setup ## Format the code and mend what the linter can mend
	$(RUN)/ruff format .
	$(RUN)/ruff check --fix .

bench: setup ## Measure what is claimed, beside its peers [ARGS="SECTION ... --runs N"]
	@$(PYTHON) -m tools.setup --venv $(VENV) --with-peers
	@JAVA_HOME="$$($(RUN)/python -m cli.java)" $(RUN)/python -m benchmarks $(ARGS)

simulate: setup ## Test the commit under random faults [ARGS="--schedules N --workers N --seed N"]
	@$(RUN)/python -m tests.simulation $(ARGS)

build: setup ## Build what is deployed, into .aws-sam/
	@env -u PYTHONPATH PATH="$(CURDIR)/.venv-sam/bin:$$PATH" .venv-sam/bin/sam build $(ARGS)

lock: setup ## Resolve requirements/*.in into lock files [ARGS=--upgrade]
	@$(RUN)/python -m tools.lock $(ARGS)

clean: ## Remove what was built (environments stay; `rm -rf .venv* .cache` removes them)
	rm -rf build .aws-sam spark-warehouse metastore_db derby.log .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . \( -name '.venv*' -o -name .cache -o -name .git \) -prune -o -name __pycache__ -type d -exec rm -rf {} +
