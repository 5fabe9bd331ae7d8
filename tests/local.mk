# Tests. Each program gets its own line here and nothing else; tests/run says how they are run.

# C, cmocka: tests/engine/t-NAME.c, linked to librhm.
engine_tests = \
	tests/engine/t-bayes \
	tests/engine/t-bits \
	tests/engine/t-branching \
	tests/engine/t-cluster \
	tests/engine/t-cnn \
	tests/engine/t-cnn-file \
	tests/engine/t-cnn-steps \
	tests/engine/t-cnn-train \
	tests/engine/t-csv \
	tests/engine/t-dataset \
	tests/engine/t-directions \
	tests/engine/t-features \
	tests/engine/t-formula \
	tests/engine/t-grammar \
	tests/engine/t-hdf5 \
	tests/engine/t-job \
	tests/engine/t-law \
	tests/engine/t-matrix \
	tests/engine/t-missing \
	tests/engine/t-network \
	tests/engine/t-network-file \
	tests/engine/t-network-refusals \
	tests/engine/t-noise \
	tests/engine/t-npy \
	tests/engine/t-onestep \
	tests/engine/t-padding \
	tests/engine/t-parse \
	tests/engine/t-queue \
	tests/engine/t-race \
	tests/engine/t-principle \
	tests/engine/t-random \
	tests/engine/t-refine \
	tests/engine/t-repeats \
	tests/engine/t-resample \
	tests/engine/t-results \
	tests/engine/t-ridge \
	tests/engine/t-sample \
	tests/engine/t-shallow \
	tests/engine/t-signal \
	tests/engine/t-split \
	tests/engine/t-training \
	tests/engine/t-tree

# C, cmocka: tests/script/t-NAME.c and tests/terminal/t-NAME.c, linked to the program without its main.
program_tests = \
	tests/script/t-interrupt \
	tests/script/t-memory \
	tests/terminal/t-scrollback

# Lua, luaunit: run by ./rhm.
script_tests = \
	tests/script/t-branches.lua \
	tests/script/t-branching.lua \
	tests/script/t-cnn.lua \
	tests/script/t-complete.lua \
	tests/script/t-dataset.lua \
	tests/script/t-errors.lua \
	tests/script/t-formula.lua \
	tests/script/t-grammar.lua \
	tests/script/t-help.lua \
	tests/script/t-job.lua \
	tests/script/t-jobs.lua \
	tests/script/t-layer.lua \
	tests/script/t-manual.lua \
	tests/script/t-measures.lua \
	tests/script/t-network.lua \
	tests/script/t-onestep.lua \
	tests/script/t-parse.lua \
	tests/script/t-panel.lua \
	tests/script/t-plot.lua \
	tests/script/t-position.lua \
	tests/script/t-print.lua \
	tests/script/t-principle.lua \
	tests/script/t-refine.lua \
	tests/script/t-results.lua \
	tests/script/t-shallow.lua \
	tests/script/t-source.lua \
	tests/script/t-sweep.lua \
	tests/script/t-view.lua \
	tests/script/t-view-distances.lua \
	tests/script/t-view-grammar.lua \
	tests/script/t-view-histogram.lua \
	tests/script/t-view-layers.lua \
	tests/script/t-view-synonyms.lua \
	tests/script/t-width.lua

# Python's unittest with pexpect and pyte.
terminal_tests = \
	tests/terminal/test_cnn.py \
	tests/terminal/test_command.py \
	tests/terminal/test_completion.py \
	tests/terminal/test_experiments.py \
	tests/terminal/test_jobs.py \
	tests/terminal/test_panel_cost.py \
	tests/terminal/test_panel_input.py \
	tests/terminal/test_panel_signals.py \
	tests/terminal/test_panel_terminals.py \
	tests/terminal/test_panel_learners.py \
	tests/terminal/test_panel_views.py \
	tests/terminal/test_readme.py \
	tests/terminal/test_shell.py \
	tests/terminal/test_sweep.py

# Whatever the tests read, and what runs them.
test_files = \
	$(script_tests) \
	$(terminal_tests) \
	tests/data/rhm-8-4-2-3.npy \
	tests/data/rhm-8-4-2-3_labels.npy \
	tests/engine/chain.h \
	tests/engine/cnn.h \
	tests/engine/common.h \
	tests/engine/jobs.h \
	tests/engine/scratch.h \
	tests/bench/torch_step.py \
	tests/installed.c \
	tests/make_dataset.py \
	tests/rebuild \
	tests/run \
	tests/run-python \
	tests/script/enumeration.lua \
	tests/script/pictures.lua \
	tests/terminal/session.py \
	tests/valgrind.supp

# `make bench`: one program of these.
bench_sources = \
	tests/bench/bench.c \
	tests/bench/measure.c \
	tests/bench/measure.h \
	tests/bench/measure_cnn.c

# --- rules
if HAVE_CMOCKA
check_PROGRAMS = $(engine_tests) $(program_tests)
else
no_c = --no-c=cmocka
endif

tests_script_t_interrupt_CPPFLAGS = $(libprogram_a_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_script_t_interrupt_LDADD = $(program_libs) $(CMOCKA_LIBS)
tests_script_t_memory_CPPFLAGS = $(libprogram_a_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_script_t_memory_LDADD = $(program_libs) $(CMOCKA_LIBS)
tests_terminal_t_scrollback_LDADD = $(program_libs) $(CMOCKA_LIBS)

EXTRA_PROGRAMS = tests/bench/bench
tests_bench_bench_SOURCES = $(bench_sources)
tests_bench_bench_LDADD = librhm.la $(engine_libs)

bench: tests/bench/bench$(EXEEXT) rhm$(EXEEXT)
	@srcdir=$(srcdir) PYTHON="$(PYTHON)" tests/bench/bench$(EXEEXT)

# make check TESTS="t-grammar t-layer": those alone, on one line or several. VERBOSE=1 shows what each one says.
run_tests = "$(PYTHON)" $(srcdir)/tests/run --srcdir=$(srcdir) --python="$(PYTHON)" --only="$(strip $(TESTS))" $(no_c)
check-local:
	@test -n "$(PYTHON)" || { echo "make check needs Python 3 (Debian: python3), then configure again" >&2; exit 1; }
	@$(run_tests) --complete $(engine_tests) $(program_tests) $(script_tests) $(terminal_tests)

# README's examples with what they print now; test_readme compares them.
readme: rhm$(EXEEXT)
	@RHM=./rhm srcdir=$(srcdir) "$(PYTHON)" $(srcdir)/tests/terminal/test_readme.py --update

# The C tests under valgrind, which runs one thread at a time: waiting threads must sleep. OpenBLAS and OpenMP keep
# their threads' memory to the end: "definite" losses count.
valgrind_options = -q --leak-check=full --errors-for-leak-kinds=definite --show-leak-kinds=definite \
	--error-exitcode=99 --suppressions=$(abs_srcdir)/tests/valgrind.supp
check-valgrind: $(check_PROGRAMS)
	@export VALGRIND=1 OMP_NUM_THREADS=2 OMP_WAIT_POLICY=passive OPENBLAS_NUM_THREADS=1; \
	$(run_tests) --jobs=2 --timeout=900 --wrap="valgrind $(valgrind_options)" $(engine_tests) $(program_tests)

# The suite, or the build, in copies of the source with other flags, libraries and compilers.
rebuild = MAKE="$(MAKE) $(AM_MAKEFLAGS)" $(SHELL) $(srcdir)/tests/rebuild
check-sanitizers:
	@$(rebuild) sanitizers check -- --enable-sanitizers PYTHON="$(PYTHON)"

# Races: the engine without OpenMP, whose runtime the thread sanitizer does not know. Any report fails.
race_tests = \
	tests/engine/t-job \
	tests/engine/t-queue \
	tests/engine/t-race \
	tests/engine/t-training
races: $(race_tests)
	@$(run_tests) $(race_tests)
check-tsan:
	@OPENBLAS_NUM_THREADS=1 $(rebuild) tsan races -- CC=clang --disable-openmp --enable-werror \
	  --enable-sanitizers=thread PYTHON="$(PYTHON)"

# The tests that calculate: all but those at a terminal, which no other BLAS changes.
numbers:
	@$(run_tests) $(engine_tests) $(program_tests) $(script_tests)

# Debian keeps the reference libraries in these folders, also where OpenBLAS stands for libblas.so. REFERENCE_FLAGS: more
# of configure's options, another compiler.
check-reference-blas:
	@dir=/usr/lib/`$(CC) -print-multiarch`; \
	test -e $$dir/blas/libblas.so && test -e $$dir/lapack/liblapack.so || { \
	  echo "check-reference-blas needs Debian's libblas-dev and liblapack-dev" >&2; exit 1; }; \
	$(rebuild) reference-blas all ldd=$$dir/blas/ ldd=$$dir/lapack/ programs numbers -- PYTHON="$(PYTHON)" \
	  $(REFERENCE_FLAGS) --with-blas="-L$$dir/lapack -L$$dir/blas -Wl,-rpath,$$dir/lapack:$$dir/blas -llapack -lblas"

# All programs, the tests' as well, by both compilers; a warning is an error.
check-compilers:
	@$(rebuild) gcc all programs -- --enable-werror CC=gcc
	@$(rebuild) clang all programs -- --enable-werror CC=clang
programs: $(check_PROGRAMS)

# What was installed, used as a stranger would: the program from another folder, the engine by rhm.pc.
installcheck-local:
	cd / && $(DESTDIR)$(bindir)/rhm -E -e 'assert(require("rhm.help") and rhm.grammar{V=8, m=4, s=2, L=3, seed=1}.d == 8)'
	cd / && $(DESTDIR)$(bindir)/rhm quickstart --quick >/dev/null
	rm -rf tests/installed && $(MKDIR_P) tests/installed
	cd tests/installed && PKG_CONFIG_PATH="$(DESTDIR)$(pkgconfigdir)" && PKG_CONFIG_SYSROOT_DIR="$(DESTDIR)" && \
	export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR && \
	$(CC) $(CFLAGS) $(RHM_CFLAGS) `$(PKG_CONFIG) --cflags rhm` -o program $(abs_srcdir)/tests/installed.c \
	  $(RHM_LDFLAGS) `$(PKG_CONFIG) --libs rhm` && \
	LD_LIBRARY_PATH="$(DESTDIR)$(libdir):$$LD_LIBRARY_PATH" ./program
	rm -rf tests/installed

clean-local:
	rm -rf tests/scratch tests/installed build-sanitizers build-tsan build-reference-blas build-gcc build-clang

CLEANFILES = $(EXTRA_PROGRAMS)

.PHONY: bench numbers programs races readme check-valgrind check-sanitizers check-tsan check-reference-blas check-compilers
