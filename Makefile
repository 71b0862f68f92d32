# Two commands on a fresh machine: `make demo` and `make test`. Each sets up what it needs in .venv, once.

PYTHON ?= python3
BIN := .venv/bin
SOURCES := pyproject.toml setup.py pricing/_kernels.pyx

.PHONY: help demo test bench docs clean

help:
	@echo "make demo   price crash covers on a synthetic sample market; writes demo/"
	@echo "make test   check style and types, run all tests"
	@echo "make bench  measure the engine on this machine"
	@echo "make docs   build the documentation into docs/_build/html"
	@echo "make clean  remove everything that the other targets made"

demo: .venv/demo-ready
	$(BIN)/crashcover demo --out demo

test: .venv/test-ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/cython-lint pricing/_kernels.pyx
	$(BIN)/mypy
	$(BIN)/python -m pytest

bench: .venv/test-ready
	$(BIN)/python -m pytest tests/benchmarks/bench_*.py --benchmark-only --benchmark-group-by=group

docs: .venv/docs-ready
	$(BIN)/sphinx-build -W --keep-going -b html docs docs/_build/html

clean:
	rm -rf .venv build demo docs/_build *.egg-info pricing/_kernels.c pricing/_kernels.*.so

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv

.venv/demo-ready: $(SOURCES) | .venv/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[cli]'
	@touch $@

.venv/test-ready: $(SOURCES) | .venv/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	@touch $@ .venv/demo-ready

.venv/docs-ready: $(SOURCES) | .venv/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[docs]'
	@touch $@ .venv/demo-ready
