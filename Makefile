# Two commands: `make demo` shows it work, `make test` proves it. Each does its own set-up and reuses what is there.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help demo test fast floors wheel lint bench languages pictures pulumi clean

help: ## Show what there is
	@grep -hE '^[a-z]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(READY) ## Undeploy a model with a real `pulumi up` against an emulated API
	@$(BIN)/python tools/demo.py

test: $(READY) ## Run the whole suite, with coverage
	@cli=$$($(BIN)/python tools/pulumi_cli.py | tail -n 1) && PATH="$$PWD/$(BIN):$$cli:$$PATH" && export PATH && \
	coverage erase && coverage run -m pytest -n 3 --dist worksteal && coverage combine --quiet && coverage report

fast: $(READY) ## Run what needs no Pulumi CLI
	@$(BIN)/pytest -m "not e2e"

lint: $(READY) ## Check style and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	for system in linux darwin win32; do $(BIN)/mypy --platform $$system --cache-dir .mypy_cache/$$system || exit 1; done
	$(BIN)/pyright

floors: $(READY) ## Run the whole suite with the lowest versions that pyproject.toml allows
	@$(PYTHON) -m venv --clear .venv-floors
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip install --quiet --python .venv-floors/bin/python --resolution lowest-direct ".[emulator]"
	@$(BIN)/uv pip install --quiet --python .venv-floors/bin/python --group tests
	@cli=$$($(BIN)/python tools/pulumi_cli.py | tail -n 1) && PATH="$$PWD/.venv-floors/bin:$$cli:$$PATH" && export PATH && \
	pytest -q -n 3 --dist worksteal --ignore tests/tools

wheel: $(READY) ## Build wheel and sdist in dist/, check them, and run the whole suite against the wheel
	@rm -rf dist
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c tools/constraints.txt --group release
	@$(BIN)/python -m build
	@$(BIN)/check-wheel-contents dist/*.whl
	@$(BIN)/twine check --strict dist/*
	@$(PYTHON) -m venv --clear .venv-wheel
	@.venv-wheel/bin/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	@.venv-wheel/bin/python -m pip install --quiet --disable-pip-version-check -c tools/constraints.txt "$$(ls $$PWD/dist/*.whl)[emulator]" --group tests
	@cli=$$($(BIN)/python tools/pulumi_cli.py | tail -n 1) && PATH="$$PWD/.venv-wheel/bin:$$cli:$$PATH" && export PATH && \
	pytest -n 3 --dist worksteal

bench: $(READY) ## Measure side by side; half an hour, so it is no part of `make test`
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c tools/constraints.txt --group bench
	@cli=$$($(BIN)/python tools/pulumi_cli.py | tail -n 1) && PATH="$$PWD/$(BIN):$$cli:$$PATH" && export PATH && \
	python bench

languages: $(READY) ## Live a life of each resource in TypeScript and Go; some minutes, once for a release
	@$(BIN)/python tools/languages.py

pictures: $(READY) ## Film a real `pulumi up`, for docs/pictures
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c tools/constraints.txt --group pictures
	@$(BIN)/python tools/pictures.py

pulumi: $(READY) ## Make sure of a Pulumi CLI; the last line is the folder that holds it
	@$(BIN)/python tools/pulumi_cli.py

clean: ## Remove what these commands made here (a Pulumi CLI stays in your cache folder)
	rm -rf .venv .venv-floors .venv-wheel .demo dist .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache

# Renamed at the end, so that an interrupted set-up is never taken for a good one.
$(READY): pyproject.toml tools/constraints.txt
	@echo "Setting up .venv: about a minute, this once." >&2
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.x")'
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c tools/constraints.txt --editable ".[emulator]" --group dev
	@touch $(READY)
