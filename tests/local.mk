# Tests. Each program gets its own line here and nothing else; tests/run says how they are run.

# C, cmocka: tests/engine/t-NAME.c, linked to librhm.
engine_tests =

# Lua, luaunit: run by ./rhm.
script_tests =

# Python's unittest with pexpect and pyte.
terminal_tests =

# Whatever the tests read, and what runs them.
test_files = \
	$(script_tests) \
	$(terminal_tests) \
	tests/run \
	tests/run-python

# `make bench`: one program of these.
bench_sources =

# --- rules
if HAVE_CMOCKA
check_PROGRAMS = $(engine_tests)
endif

EXTRA_PROGRAMS = tests/bench/bench
tests_bench_bench_SOURCES = $(bench_sources)
tests_bench_bench_LDADD = librhm.la $(engine_libs)

bench: tests/bench/bench$(EXEEXT) rhm$(EXEEXT)
	@tests/bench/bench$(EXEEXT)

# make check TESTS="t-grammar t-layer": those alone.
run_tests = "$(PYTHON)" $(srcdir)/tests/run --srcdir=$(srcdir) --python="$(PYTHON)" $(RUN_FLAGS)
check-local:
	@test -n "$(PYTHON)" || { echo "make check needs Python 3 (Debian: python3); then configure again" >&2; exit 1; }
	@$(run_tests) --only="$(TESTS)" $(engine_tests) $(script_tests) $(terminal_tests)

clean-local:
	rm -rf tests/scratch

CLEANFILES = $(EXTRA_PROGRAMS)

.PHONY: bench
