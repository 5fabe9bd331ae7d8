# Experiments for users, installed as share/rhm/scripts/*.lua and run as `rhm NAME`.
script_files = \
	scripts/learning_table.lua \
	scripts/phase_diagram.lua \
	scripts/quickstart.lua
