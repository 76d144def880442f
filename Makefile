# Two commands for a newcomer: `make demo` and `make test`. Both need only Python 3.11+ and make.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
APT    := env DEBIAN_FRONTEND=noninteractive apt-get -qq

# A test that fails only while others keep the machine busy is told, and gets one more try alone;
# more than five of them, a line each between two braces, are no accident.
define tests
	$(BIN)/python -m pytest -q --cache-clear $(1) || { \
		test $$? -eq 1 && test $$(wc -l < .pytest_cache/v/cache/lastfailed) -le 7 && \
		echo "--- once more, alone:" && \
		$(BIN)/python -m pytest -q -n 0 -rA --last-failed --last-failed-no-failures none $(2); }
endef

.PHONY: demo test check unit journeys browser torture bench docs pins clean

demo: $(VENV)/.runs
	$(BIN)/repermit demo

test: check unit journeys browser
	@echo "all green"

# Static checks: style, types, layers.
check: $(VENV)/.develops
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Fast tests of every part, on real SQLite; every branch of domain and ledger must be covered by
# their own, and by those of the purge, which erases in the ledger.
unit: $(VENV)/.develops $(VENV)/.systemd $(VENV)/.dovecot
	$(call tests,-n 3 tests/domain tests/ledger tests/purge \
		--cov --cov-report=term-missing --cov-fail-under=100,--cov --cov-append --cov-fail-under=100)
	$(call tests,-n 3 -m "not journey and not browser and not torture" \
		--ignore=tests/domain --ignore=tests/ledger --ignore=tests/purge)

# Whole paths: the real command line, relay and server; processes really killed.
journeys: $(VENV)/.develops $(VENV)/.browser $(VENV)/.mtas $(VENV)/.dovecot $(VENV)/.proxies $(VENV)/.networks
	$(call tests,-n 4 --dist loadfile -m "journey or torture")

# What a recipient sees, in a real browser.
browser: $(VENV)/.develops $(VENV)/.browser
	$(call tests,-n 2 -m browser)

# 1,000 kills instead of 16, a quarter of them with a relay that fails too: about ten minutes.
torture: $(VENV)/.develops $(VENV)/.networks
	REPERMIT_KILLS=750 $(BIN)/python -m pytest -q -m torture

$(VENV)/.runs: requirements.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("repermit needs Python 3.11 or newer" if sys.version_info < (3, 11) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/.develops: $(VENV)/.runs requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	touch $@

# What the hot paths cost, beside the least that the same work can cost: about twenty minutes on a
# quiet machine. The table goes into bench/README.md.
bench: $(VENV)/.develops
	$(BIN)/python -m bench --out bench

# What the documents have from the program: what commands print, pictures, the reference.
docs: $(VENV)/.develops $(VENV)/.browser
	$(BIN)/python -m tests.docs

# A browser for the browser tests. System packages are touched under CI only; elsewhere the
# tests use Playwright's own browser if it is there, and otherwise say loudly that they did not run.
# Whether two buttons are alike also depends on the letters.
$(VENV)/.browser: $(VENV)/.develops
ifeq ($(CI),true)
	{ command -v chromium && fc-list | grep -q Liberation; } >/dev/null \
		|| { $(APT) update && $(APT) install -y chromium fonts-liberation fontconfig; } >/dev/null
endif
	touch $@

# systemd-analyze, for the units of deploy/; system packages are touched under CI only, elsewhere
# that test says loudly that it did not run.
$(VENV)/.systemd: $(VENV)/.develops
ifeq ($(CI),true)
	command -v systemd-analyze >/dev/null || { $(APT) update && $(APT) install -y --no-install-recommends systemd; } >/dev/null
endif
	touch $@

# Postfix and Exim, for the tests of what they send back: unpacked into the environment and not
# installed, because a system has room for one of them. Under CI only, with the libraries they need;
# elsewhere REPERMIT_POSTFIX and REPERMIT_EXIM name folders where they are unpacked, or those tests
# say loudly that they did not run.
$(VENV)/.mtas: $(VENV)/.develops
ifeq ($(CI),true)
	$(APT) update >/dev/null
	apt-cache depends postfix exim4-daemon-light | sed -n 's/^ *Depends: \(lib[^ ]*\)$$/\1/p' | sort -u \
		| xargs $(APT) install -y --no-install-recommends --no-upgrade >/dev/null
	rm -rf $(VENV)/mtas && mkdir -p $(VENV)/mtas/postfix $(VENV)/mtas/exim
	cd $(VENV)/mtas && $(APT) -o APT::Sandbox::User=root download postfix exim4-daemon-light
	dpkg -x $(VENV)/mtas/postfix_*.deb $(VENV)/mtas/postfix
	dpkg -x $(VENV)/mtas/exim4-daemon-light_*.deb $(VENV)/mtas/exim
endif
	touch $@

# nginx and Caddy, for the files that deploy/ has for them: unpacked into the environment and not
# installed, because their packages start services. Under CI only, with the libraries they need;
# elsewhere REPERMIT_NGINX and REPERMIT_CADDY name the programs, or those tests say loudly that they
# did not run.
$(VENV)/.proxies: $(VENV)/.develops
ifeq ($(CI),true)
	$(APT) update >/dev/null
	apt-cache depends nginx caddy | sed -n 's/^ *Depends: \(lib[^ ]*\)$$/\1/p' | sort -u \
		| grep -v '^libnginx' | xargs $(APT) install -y --no-install-recommends --no-upgrade >/dev/null
	rm -rf $(VENV)/proxies && mkdir -p $(VENV)/proxies/nginx $(VENV)/proxies/caddy
	cd $(VENV)/proxies && $(APT) -o APT::Sandbox::User=root download nginx caddy
	dpkg -x $(VENV)/proxies/nginx_*.deb $(VENV)/proxies/nginx
	dpkg -x $(VENV)/proxies/caddy_*.deb $(VENV)/proxies/caddy
endif
	touch $@

# An IMAP server for the tests of mailboxes; system packages are touched under CI only, elsewhere
# those tests say loudly that they did not run. It does not run from another folder (the paths of its
# modules are compiled in), so it is installed: where systemd runs, its package starts a service.
$(VENV)/.dovecot: $(VENV)/.develops
ifeq ($(CI),true)
	command -v dovecot >/dev/null || test -x /usr/sbin/dovecot || { $(APT) update && $(APT) install -y --no-install-recommends dovecot-imapd; } >/dev/null
endif
	touch $@

# iproute2, for machines in network namespaces that are cut off from the database; system packages
# are touched under CI only, elsewhere that test says loudly that it did not run without it, or root.
$(VENV)/.networks: $(VENV)/.develops
ifeq ($(CI),true)
	command -v ip >/dev/null || { $(APT) update && $(APT) install -y --no-install-recommends iproute2; } >/dev/null
endif
	touch $@

# Renew the pins (needs uv).
pins:
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-annotate --extra demo --extra postgres --group build pyproject.toml -o requirements.txt \
		--custom-compile-command "make pins"
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-annotate --extra demo --extra postgres --group build --group dev pyproject.toml -o requirements-dev.txt \
		--custom-compile-command "make pins"
	! grep -n "://" requirements.txt requirements-dev.txt

clean:
	rm -rf $(VENV) build dist .coverage .mypy_cache .ruff_cache .hypothesis
