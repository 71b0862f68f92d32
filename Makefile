# Two commands on a fresh machine: `make demo` and `make test`. Each sets up what it needs in .venv, once.

PYTHON ?= python3
BIN := .venv/bin
# Python compiles a module when it first imports it, unless the variable below is set. If pip compiled all of them, that
# would take longer than everything else that it does.
unexport PYTHONDONTWRITEBYTECODE
INSTALL := -m pip install --quiet --no-compile
SOURCES := pyproject.toml setup.py pricing/_kernels.pyx
# One worker per processor: they share no state, and the linear algebra of each has one thread. A worker starts with tests
# that stand together, so that most fixtures of a module are made once, and takes tests from others when it has none left.
PARALLEL_TESTS := $(BIN)/python -m pytest --numprocesses auto --dist worksteal
SANITIZED := build/sanitized
KERNEL_TESTS := $(addprefix tests/pricing/engine/,test_kernel_twin.py test_kernel.py test_simulation.py test_kernel_safety.py)
# The interpreter is not built with the sanitizer, so its library comes first; CPython leaks on purpose; its own
# allocator would hide the ends of small blocks; a request for too much memory must fail and not end the process.
UNDER_SANITIZERS = LD_PRELOAD=$$(gcc -print-file-name=libasan.so) PYTHONMALLOC=malloc UBSAN_OPTIONS=print_stacktrace=1 \
	ASAN_OPTIONS=detect_leaks=0:detect_stack_use_after_return=1:allocator_may_return_null=1

# An interpreter without the GIL, such as python3.13t.
FREE_THREADED ?= python3.13t
UNLOCKED := build/free-threaded

.PHONY: help demo style test test-thorough test-narrow mutants fuzz sanitize free-threaded bench wheel docs clean

help:
	@echo "make demo      price crash covers on a synthetic sample market; writes demo/"
	@echo "make test      check style, spelling and types, run all tests"
	@echo "make test-thorough  the same with four times as many examples of each property"
	@echo "make style     check style, spelling and types only"
	@echo "make test-narrow  run the tests of calibration as on a processor of 2008, whatever this one is"
	@echo "make mutants   change the code of premiums, events, quotes, laws and scores, and count what no test notices"
	@echo "make fuzz      put hostile values into contracts, quotes, books and stores for ten minutes, other ones in every run"
	@echo "make sanitize  run the kernel tests with every address and operation checked (GCC on Linux)"
	@echo "make free-threaded FREE_THREADED=python3.13t  run the tests of pricing without the GIL"
	@echo "make bench     measure the engine on this machine, beside others; writes the tables of docs/performance.md"
	@echo "make wheel     build dist/, install the wheel into an empty environment and run the demo from it"
	@echo "make docs      build the documentation into docs/_build/html"
	@echo "make clean     remove everything that the other targets made"

demo: .venv/demo-ready
	$(BIN)/crashcover demo --out demo

style: .venv/test-ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/cython-lint pricing/_kernels.pyx
	$(BIN)/codespell
	$(BIN)/mypy

test: style
	$(PARALLEL_TESTS)

test-thorough: style
	$(PARALLEL_TESTS) --hypothesis-profile thorough

test-narrow: .venv/test-ready
	$(BIN)/python -m tests.machines -m pytest --numprocesses auto tests/calibration

# An hour or more; what was tried stays in mutants/ and is not tried again.
mutants: .venv/test-ready
	$(BIN)/python $(INSTALL) --editable '.[dev]'
	$(BIN)/python -m tests.mutation.run
	$(BIN)/python -m tests.mutation.report

# Ten minutes; what failed stays in tests/fuzz/corpus and is tried first.
fuzz: .venv/test-ready
	$(BIN)/python -m tests.fuzz.run --minutes 10

# This uses its own checkout and environment; the release kernels and .venv are not touched.
sanitize: $(SANITIZED)/venv/ready
	rm -rf $(SANITIZED)/checkout
	mkdir $(SANITIZED)/checkout
	cp -R pyproject.toml setup.py README.md LICENSE pricing tests $(SANITIZED)/checkout
	rm -f $(SANITIZED)/checkout/pricing/_kernels*.so $(SANITIZED)/checkout/pricing/_kernels*.c
	@# Directives in the source override those of setup.py. Reports of a sanitizer are visible only with --capture=sys.
	sed -i '1s/initializedcheck=False/initializedcheck=True/' $(SANITIZED)/checkout/pricing/_kernels.pyx
	cd $(SANITIZED)/checkout && CRASHCOVER_SANITIZE=1 ../venv/bin/python setup.py --quiet build_ext --inplace
	cd $(SANITIZED)/checkout && env $(UNDER_SANITIZERS) ../venv/bin/python -m pytest --capture=sys $(KERNEL_TESTS)

# RuntimeWarning is an error here, because an extension that switches the GIL back on must not go unnoticed.
free-threaded: $(UNLOCKED)/venv/ready
	rm -rf $(UNLOCKED)/checkout
	mkdir $(UNLOCKED)/checkout
	cp -R pyproject.toml setup.py README.md LICENSE pricing tests docs $(UNLOCKED)/checkout
	rm -f $(UNLOCKED)/checkout/pricing/_kernels*.so $(UNLOCKED)/checkout/pricing/_kernels*.c
	cd $(UNLOCKED)/checkout && ../venv/bin/python setup.py --quiet build_ext --inplace
	cd $(UNLOCKED)/checkout && ../venv/bin/python -W error::RuntimeWarning -m pytest tests/pricing tests/statistics

bench: .venv/bench-ready
	@mkdir -p build
	$(BIN)/python -m pytest -W default tests/benchmarks/bench_*.py --benchmark-quiet --benchmark-json build/benchmark.json
	$(BIN)/python -m tests.benchmarks.table build/benchmark.json

# The wheel is built from the source distribution, so this fails if the latter lacks a source. cibuildwheel builds wheels
# for other platforms and takes its settings from pyproject.toml. setuptools would add what an old egg-info lists.
wheel: .venv/bin/python
	rm -rf dist build/wheel *.egg-info
	$(BIN)/python $(INSTALL) 'build>=1.2'
	$(BIN)/python -m build --outdir dist
	$(BIN)/python .ci/check_distributions.py dist
	$(PYTHON) -m venv build/wheel
	build/wheel/bin/python $(INSTALL) "$$(ls dist/*.whl)[cli]"
	cd build/wheel && bin/crashcover demo --out demo

docs: .venv/docs-ready
	$(BIN)/sphinx-build -W --keep-going -b html docs docs/_build/html

clean:
	rm -rf .venv build dist demo mutants docs/_build *.egg-info pricing/_kernels*.c pricing/_kernels*.so

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv

$(SANITIZED)/venv/ready: pyproject.toml
	$(PYTHON) -m venv $(SANITIZED)/venv
	$(SANITIZED)/venv/bin/python $(INSTALL) 'setuptools>=77' 'cython>=3.1' numpy scipy pytest hypothesis
	@touch $@

$(UNLOCKED)/venv/ready: pyproject.toml
	$(FREE_THREADED) -c 'import sys; sys.exit(sys._is_gil_enabled() and "an interpreter without the GIL is needed")'
	$(FREE_THREADED) -m venv $(UNLOCKED)/venv
	$(UNLOCKED)/venv/bin/python $(INSTALL) --only-binary :all: \
		'setuptools>=77' 'cython>=3.1' numpy scipy pytest hypothesis mpmath
	@touch $@

.venv/demo-ready: $(SOURCES) | .venv/bin/python
	$(BIN)/python $(INSTALL) --editable '.[cli]'
	@touch $@

.venv/test-ready: $(SOURCES) | .venv/bin/python
	$(BIN)/python $(INSTALL) --editable '.[test]'
	@touch $@ .venv/demo-ready

.venv/bench-ready: $(SOURCES) | .venv/bin/python
	$(BIN)/python $(INSTALL) --editable '.[bench]'
	@touch $@ .venv/demo-ready .venv/test-ready

.venv/docs-ready: $(SOURCES) | .venv/bin/python
	$(BIN)/python $(INSTALL) --editable '.[docs]'
	@touch $@ .venv/demo-ready
