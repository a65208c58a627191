# `make demo` and `make test` are the whole set-up. README.md says the rest.
VENV := .venv
BUILD := build
PYTHON := $(VENV)/bin/python
PYTEST := $(PYTHON) -m pytest
JOBS ?= 2
PREFIX ?= /opt/loginward
DESTDIR ?=

.PHONY: setup packages rights test check bench demo fuzz soak generate lock install uninstall clean
.NOTPARALLEL:

setup: packages $(VENV)/stamp $(BUILD)/pam_loginward.so

packages:
	@tools/system-packages

rights: packages
	@tools/test-rights

$(VENV)/stamp: requirements/dev.txt tools/make-venv
	@printf 'setting up .venv … '; begin=$$(date +%s); \
	tools/make-venv $(VENV) requirements/dev.txt && \
	echo "done ($$(($$(date +%s) - begin)) s)"
	@touch $@

$(BUILD)/pam_loginward.so: $(wildcard agent/native/*.c agent/native/*.h agent/native/*.map) agent/native/Makefile
	@printf 'building the PAM module … '
	@$(MAKE) -s -C agent/native OUT=$(CURDIR)/$(BUILD)
	@echo done

demo: setup
	@$(VENV)/bin/loginward demo $(if $(filter once,$(DEMO)),--once)

test: rights setup
	@$(PYTEST) -n $(JOBS) --dist loadgroup -q

check: setup
	@$(PYTHON) tools/check.py

bench: setup
	@$(PYTHON) -m tests.bench

# Coverage-guided; atheris is there on the processors and Pythons that it supports.
fuzz: setup $(VENV)/fuzz-stamp
	@$(PYTHON) -m tests.fuzz

soak: setup
	@STRESS_S=60 $(PYTHON) -m pytest -q -n 0 --timeout 300 tests/runtime/test_stress.py
	@EAP_SESSIONS=500 $(PYTHON) -m pytest -q -n 0 --timeout 300 tests/live/test_eap_hostile.py
	@$(PYTHON) -m tests.soak

$(VENV)/fuzz-stamp: requirements/fuzz.txt
	@$(PYTHON) -I -m pip install --quiet --disable-pip-version-check \
		--require-hashes --only-binary :all: -r requirements/fuzz.txt
	@touch $@

# What is made from the configuration's types, and the locked versions.
generate: setup
	@$(PYTHON) tools/generate.py

lock:
	@tools/lock

# The environment that is installed is made anew, with the locked versions alone.
install:
	@packaging/install "$(DESTDIR)" "$(PREFIX)"

uninstall:
	@packaging/uninstall "$(DESTDIR)" "$(PREFIX)"

clean:
	rm -rf $(BUILD) $(VENV)
