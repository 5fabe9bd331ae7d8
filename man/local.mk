# Manual pages.
man_pages = \
	man/rhm-api.7 \
	man/rhm-experiments.7 \
	man/rhm.1

# rhm-api.7 is written from the help table and committed, so that building needs no run of the program.
manual: rhm$(EXEEXT)
	./rhm -E -e 'require("rhm.manual").write("$(srcdir)/man/rhm-api.7")'

.PHONY: manual
