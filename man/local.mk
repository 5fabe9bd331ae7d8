# Manual pages.
man_pages =
