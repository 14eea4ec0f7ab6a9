# Each recipe installs what it needs. Installing prints to stderr only, because `make run` speaks MCP on stdout.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run demo test check coverage bench docs release-check

run: .venv/installed
	@$(BIN)/gearshed

demo: .venv/installed
	@$(BIN)/gearshed demo

test: .venv/installed
	$(BIN)/pytest --numprocesses=auto

check: .venv/installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/python -m scripts.words
	$(BIN)/python -m scripts.docs --check

coverage: .venv/installed
	mkdir -p .coverage
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest --numprocesses=auto
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

bench: .venv/installed
	$(BIN)/python -m scripts.bench

docs: .venv/installed
	$(BIN)/python -m scripts.docs

release-check: .venv/installed
	$(BIN)/python -m scripts.release_check

.venv/installed: pyproject.toml constraints.txt
	@echo "Installing Gearshed into .venv …" >&2
	@$(PYTHON) -m venv .venv >&2
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]' >&2
	@touch $@
