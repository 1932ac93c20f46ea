PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

help: ## Show what make can do
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

run: $(VENV)/run ## Start the bot (in the terminal if .env has no TOKEN)
	@$(BIN)/python bot.py

test: $(VENV)/dev ## Run the tests
	$(BIN)/python -m pytest

lint: $(VENV)/dev ## Look for mistakes and untidiness
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/dev ## Check the types
	$(BIN)/mypy

check: lint types test ## All of the three: what has to pass before a commit

$(VENV)/run: requirements.txt constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet -r requirements.txt -c constraints.txt
	@touch $@

$(VENV)/dev: $(VENV)/run requirements-dev.txt
	$(BIN)/pip install --quiet -r requirements-dev.txt -c constraints.txt
	@touch $@

clean: ## Remove what can be made again
	rm -rf $(VENV) .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis

.PHONY: help run test lint types check clean
.DEFAULT_GOAL := help
