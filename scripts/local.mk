# Experiments for users, installed as share/rhm/scripts/*.lua and run as `rhm NAME`.
script_files = \
	scripts/branching_factor.lua \
	scripts/end_to_end.lua \
	scripts/function_classes.lua \
	scripts/learning_table.lua \
	scripts/log_regime.lua \
	scripts/noise.lua \
	scripts/phase_diagram.lua \
	scripts/positions.lua \
	scripts/quickstart.lua \
	scripts/random_features.lua \
	scripts/refinement.lua \
	scripts/sample_complexity.lua \
	scripts/semi_supervised.lua \
	scripts/signal_to_noise.lua \
	scripts/training_dynamics.lua \
	scripts/unknown_topology.lua
