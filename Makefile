# Every way to run this project; `make` lists them. Recipes use only the environment that they make themselves.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test quick prove lint types layers format snap lock messages docs wheel clean system

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk 'BEGIN {FS = ":.*## "} {printf "  make %-9s %s\n", $$1, $$2}'

demo: $(VENV)/.run ## this week's issue of a made-up magazine, sent into a built-in mailbox (ARGS="--once --json --dir DIR")
	@$(BIN)/newsletter demo $(ARGS)

test: $(VENV)/.dev system ## every test on SQLite, every database test on PostgreSQL too, browser, coverage
	@$(BIN)/python tests/run.py test

quick: $(VENV)/.dev ## what you run all day: lint, types, layers, tests on SQLite
	@$(BIN)/python tests/run.py quick

prove: $(VENV)/.dev system ## crash, bench, looks, load and 10,000-case runs, by hand; writes docs/proofs/
	@$(BIN)/python tests/run.py prove $(ARGS)

lint: $(VENV)/.dev ## ruff: rules and format
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(VENV)/.dev ## mypy --strict
	@$(BIN)/mypy

layers: $(VENV)/.dev ## imports only point down
	@$(BIN)/lint-imports --no-cache

format: $(VENV)/.dev ## let ruff write what it can
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

snap: $(VENV)/.dev ## accept the letters as they are now: read the diff before you commit it
	@$(BIN)/pytest -q --snapshot-update tests -k snapshot

wheel: $(VENV)/.dev ## build dist/*.whl
	@$(BIN)/python -m hatchling build -t wheel

# Not after $(VENV)/.dev: its `pip check` would fail for a dependency that pyproject.toml names and the lock does not yet.
lock: ## resolve pyproject.toml anew into the two hash-locked files
	@test -x $(BIN)/python || $(MAKE) $(VENV)/.dev
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile --quiet --no-header --universal --python-version 3.11 --generate-hashes --extra postgres --extra build pyproject.toml -o requirements.lock
	@$(BIN)/uv pip compile --quiet --no-header --universal --python-version 3.11 --generate-hashes --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock

messages: $(VENV)/.dev ## gather the words for readers and for editors into newsletter/locale, and compile them: translate what is new
	@$(BIN)/pybabel -q extract -F babel.cfg -k gettext_lazy -o build.pot --no-location --sort-output --omit-header .
	@for po in newsletter/locale/*/LC_MESSAGES/django.po; do \
		code=$$(basename $$(dirname $$(dirname $$po))); \
		$(BIN)/pybabel -q update -i build.pot -o $$po -l $$code -D django --no-fuzzy-matching --ignore-obsolete --width=110; done
	@rm build.pot
	@$(BIN)/pybabel -q compile -d newsletter/locale -D django
	@$(BIN)/pybabel -q extract -F babel-studio.cfg -k gettext_lazy -k sentence -k counted:1,2 -o newsletter/locale/studio.pot --add-location=file --sort-output --omit-header .
	@for po in newsletter/locale/*/LC_MESSAGES/studio.po; do test -f $$po || continue; \
		code=$$(basename $$(dirname $$(dirname $$po))); \
		$(BIN)/pybabel -q update -i newsletter/locale/studio.pot -o $$po -l $$code -D studio --no-fuzzy-matching --ignore-obsolete --width=110 && \
		$(BIN)/pybabel -q compile -i $$po -o $${po%.po}.mo -l $$code; done

docs: $(VENV)/.dev ## write docs/reference/ anew from the schema and the commands
	@$(BIN)/python tests/reference.py

clean: ## remove the environment and what tests leave behind
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage* htmlcov dist build

# A system Python may come without ensurepip: then the system's own pip fills the environment from outside. --no-deps: the
# lock is complete, and pip's resolver would look past its pins (an extra's requirement finds the newest release).
define make-environment
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) 2>/dev/null || $(PYTHON) -m venv --without-pip --clear $(VENV)
	@if $(BIN)/python -m pip --version >/dev/null 2>&1; then pip="$(BIN)/python -m pip"; else pip="$(PYTHON) -m pip --python $(BIN)/python"; fi; \
	echo "installing $(1) (hash-locked)" >&2; \
	$$pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $(1) && \
	$$pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable . && \
	$$pip check >&2
endef

$(VENV)/.run: requirements.lock pyproject.toml
	$(call make-environment,requirements.lock)
	@touch $@

$(VENV)/.dev: requirements-dev.lock pyproject.toml
	$(call make-environment,requirements-dev.lock)
	@touch $@ $(VENV)/.run

system: ## on Debian as root: install the browser and fonts that tests want
	@$(PYTHON) tests/system_parts.py
