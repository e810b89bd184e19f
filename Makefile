# The whole developer interface. Python 3.11+ and make are enough: each target first sets up
# .venv, or .demo.

VENV := .venv
PYTHON := $(VENV)/bin/python
READY := $(VENV)/.installed
# What a board would have: the base install and one engine, no PyTorch.
DEMO := .demo

# The lock was tested with the first; all of its pins have wheels for the others too.
PYTHONS := python3.11 python3.12 python3.13 python3.14 python3
SUITABLE := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 15))

# Empty: PyTorch from PyPI. https://download.pytorch.org/whl/cpu: a build without CUDA, far smaller.
TORCH_INDEX :=
TORCH := 2.13.0

# Training crashes in a process that inference engines have filled with their threads.
APART := tests/training
NONE := 5 # pytest: none of the tests was asked for

# Folders at the top that import as edge_ttvos.<name>.
PARTS := $(wildcard firmware_bridge quantize targets)
# One tree with everything under its import name, for the type checker.
TREE := build/types

.NOTPARALLEL:
.DEFAULT_GOAL := help

.PHONY: help
help: ## Show this.
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  TORCH_INDEX=https://download.pytorch.org/whl/cpu  set up with a PyTorch without CUDA"
	@echo "  PYTHONS=python3.12                                set up with this Python"
	@echo "  ARGS='-k tracker'                                 hand arguments to pytest or the demo"

.PHONY: demo
demo: $(DEMO)/.installed ## Follow an object through the clip in examples/demo; results in demo-out/.
	$(DEMO)/bin/python examples/demo.py --out demo-out $(ARGS)

.PHONY: arm64
arm64: $(READY) ## Test the raspberry-pi bundle on an emulated one; docs/how-to/test-on-arm64.md.
	PYTHON=$(PYTHON) tools/arm64/run.sh build/arm64 $(ARGS)

.PHONY: test
test: $(READY) ## Run the tests.
	$(PYTHON) -m pytest --ignore=$(APART) $(ARGS) || [ $$? -eq $(NONE) ]
	$(PYTHON) -m pytest $(APART) $(ARGS) || [ $$? -eq $(NONE) ]

.PHONY: lint
lint: $(READY) ## Check style and format.
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .

.PHONY: format
format: $(READY) ## Repair what of style and format can be repaired.
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

.PHONY: types
types: $(READY) ## Check types, strictly.
	@rm -rf $(TREE) && mkdir -p $(TREE)/edge_ttvos
	@ln -s $(addprefix ../../../,$(wildcard edge_ttvos/*) $(PARTS)) $(TREE)/edge_ttvos
	cd $(TREE) && ../../$(PYTHON) -m mypy --config-file ../../pyproject.toml \
	    --cache-dir ../../.mypy_cache -p edge_ttvos

.PHONY: check
check: lint types test ## All three.

.PHONY: coverage
coverage: $(READY) ## Run the tests and list the lines that none of them reaches.
	$(PYTHON) -m pytest --cov=edge_ttvos $(addprefix --cov=,$(PARTS)) --cov-report=term-missing $(ARGS)

.PHONY: lock
lock: $(READY) ## Write constraints.txt anew, from the newest versions that go with the pinned PyTorch.
	rm -rf build/lock && $(PYTHON) -m venv build/lock
	build/lock/bin/python -m pip install torch==$(TORCH) -e '.[host,dev]'
	@{ sed '/^[^#]/,$$d' constraints.txt; \
	   build/lock/bin/python -m pip freeze --all --exclude pip --exclude-editable \
	   | sed 's/+[a-z0-9]*$$//' | grep -Ev '^(cuda|nvidia|triton)'; } > build/constraints.txt
	mv build/constraints.txt constraints.txt

.PHONY: clean
clean: ## Remove what other targets made, except .venv and .demo.
	rm -rf build dist demo-out *.egg-info .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -not -path './$(VENV)/*' -not -path './$(DEMO)/*' -prune -exec rm -rf {} +

.PHONY: distclean
distclean: clean ## Remove the environments too.
	rm -rf $(VENV) $(DEMO)

# An environment in the folder $(1), of the first suitable Python.
define environment
	@$(1)/bin/python -m pip --version >/dev/null 2>&1 || { \
	    for python in $(PYTHONS); do \
	        if $$python -c '$(SUITABLE)' 2>/dev/null; then \
	            echo "setting up $(1) with $$python"; \
	            exec $$python -m venv --clear $(1); \
	        fi; \
	    done; \
	    echo "edge-ttvos needs Python 3.11 to 3.14 with the venv module; tried: $(PYTHONS)." >&2; \
	    echo "Install one (Debian, Ubuntu: apt install python3-venv) or name it: make PYTHONS=/path/to/python" >&2; \
	    exit 1; }
	$(1)/bin/python -m pip install -c constraints.txt setuptools
endef

$(READY): pyproject.toml constraints.txt
	$(call environment,$(VENV))
	$(PYTHON) -m pip install -c constraints.txt $(addprefix --extra-index-url ,$(TORCH_INDEX)) \
	    --no-build-isolation -e '.[host,dev]'
	@touch $@

$(DEMO)/.installed: pyproject.toml constraints.txt
	$(call environment,$(DEMO))
	$(DEMO)/bin/python -m pip install -c constraints.txt --no-build-isolation -e '.[litert]'
	@touch $@
