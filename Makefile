PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

export PYTHONDONTWRITEBYTECODE =

help: ## Show what make can do
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

run: $(VENV)/run ## Start the bot (in the terminal if .env has no TOKEN)
	@$(BIN)/python bot.py

# Collects once first: otherwise each of the parallel workers would compile all test files for itself.
test: $(VENV)/dev ## Run the tests
	@$(BIN)/python -m pytest -n 0 --collect-only -qq > /dev/null
	$(BIN)/python -m pytest

lint: $(VENV)/dev ## Look for mistakes and untidiness
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/dev ## Check the types
	$(BIN)/mypy

check: lint types test ## Run all three, which must pass before a commit

fuzz: $(VENV)/dev ## Look for unforeseen inputs, with 2,000 examples per rule
	$(BIN)/python -m pytest -m hypothesis --hypothesis-profile=new

soak: $(VENV)/run ## Kill the bot a hundred times under load, and count what is lost
	$(BIN)/python tests/soak.py --kills 100

year: $(VENV)/run ## Simulate a year in an hour: models appear and vanish, the clock jumps, the machine sleeps
	$(BIN)/python tests/year.py --updates 100000

bench: $(VENV)/run ## Measure the speed against the bare library; writes bench/README.md
	$(BIN)/python bench/run.py

test-llm: $(VENV)/llm ## Test the bot with a real, very small language model (130 MB, downloaded once)
	$(BIN)/python -m pytest tests/test_real_model.py

test-deploy: $(VENV)/deploy ## Test the deployment with the real Litestream, and check the Dockerfile
	$(BIN)/python -m pytest tests/test_deploy.py tests/test_systemd.py

test-newcomer: $(VENV)/dev ## Follow README.ru.md as a newcomer, in a fresh clone (downloads the packages)
	NEWCOMER=1 $(BIN)/python -m pytest -n 0 tests/test_newcomer.py

pictures: $(VENV)/dev ## Make the pictures in the READMEs again (needs Chromium)
	PYTHONPATH=.:tests $(BIN)/python docs/pictures/make.py

upgrade: $(VENV)/run ## Copy the database, then fetch the newest version and its packages
	@$(BIN)/python bot.py --backup
	git pull --ff-only
	@$(MAKE) --no-print-directory $(VENV)/run
	@echo "Now restart the bot: it brings the database up to date by itself."

audit: ## Look for known vulnerabilities in the installed packages
	@test -x .cache/audit/bin/pip-audit || { $(PYTHON) -m venv .cache/audit && .cache/audit/bin/pip install --quiet pip-audit==2.10.1; }
	@.cache/audit/bin/pip-audit --strict -r requirements.txt -r constraints.txt --no-deps --disable-pip \
		|| { echo "Vulnerabilities above, or pip-audit could not reach its database."; exit 1; }

$(VENV)/run: requirements.txt constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet -r requirements.txt -c constraints.txt
	@touch $@

$(VENV)/dev: $(VENV)/run requirements-dev.txt
	$(BIN)/pip install --quiet -r requirements-dev.txt -c constraints.txt
	@touch $@

# Not every machine can install these packages: without them the tests are skipped and say why.
$(VENV)/llm: $(VENV)/dev requirements-llm.txt
	@$(BIN)/pip install --quiet --no-deps -r requirements-llm.txt && touch $@ || true

$(VENV)/deploy: $(VENV)/dev requirements-deploy.txt
	@$(BIN)/pip install --quiet -r requirements-deploy.txt && touch $@ || true

clean: ## Remove everything that can be made again
	rm -rf $(VENV) .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis

.PHONY: help run test lint types check fuzz soak year bench audit test-llm test-deploy test-newcomer pictures upgrade clean
.DEFAULT_GOAL := help
