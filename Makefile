# `make demo` and `make test` are the whole set-up; docs/ says the rest.
VENV := .venv
BUILD := build
PYTHON := $(VENV)/bin/python
PYTEST := $(PYTHON) -m pytest
JOBS ?= 2
PREFIX ?= /opt/loginward
DESTDIR ?=

.PHONY: setup packages test check bench demo fuzz soak install uninstall clean
.NOTPARALLEL:

setup: packages $(BUILD)/venv.stamp $(if $(wildcard agent/native/Makefile),$(BUILD)/pam_loginward.so)

packages:
	@tools/system-packages

$(BUILD)/venv.stamp: requirements/dev.txt tools/make-venv
	@mkdir -p $(BUILD)
	@printf 'setting up .venv … '; begin=$$(date +%s); \
	tools/make-venv $(VENV) requirements/dev.txt && \
	echo "done ($$(($$(date +%s) - begin)) s)"
	@touch $@

$(BUILD)/pam_loginward.so: $(wildcard agent/native/*.c agent/native/*.h agent/native/Makefile agent/native/*.map)
	@printf 'building the PAM module … '
	@$(MAKE) -s -C agent/native OUT=$(CURDIR)/$(BUILD)
	@echo done

demo: setup
	@$(VENV)/bin/loginward demo $(if $(filter once,$(DEMO)),--once)

test: setup
	@$(PYTEST) -n $(JOBS) --dist loadgroup -q

check: setup
	@$(PYTHON) tools/check.py

bench: setup
	@$(PYTHON) -m tests.bench

fuzz: setup
	@$(PYTHON) -m tests.fuzz

soak: setup
	@$(PYTHON) -m tests.soak

install: setup
	@packaging/install "$(DESTDIR)" "$(PREFIX)"

uninstall:
	@packaging/uninstall "$(DESTDIR)" "$(PREFIX)"

clean:
	rm -rf $(BUILD) $(VENV)
