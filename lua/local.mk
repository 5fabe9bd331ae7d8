# Modules written in Lua, installed as share/rhm/lua/rhm/*.lua.
lua_modules = \
	lua/rhm/complete.lua \
	lua/rhm/help.lua \
	lua/rhm/help/dataset.lua \
	lua/rhm/help/general.lua \
	lua/rhm/help/grammar.lua \
	lua/rhm/help/layer.lua \
	lua/rhm/help/network.lua \
	lua/rhm/help/topics.lua \
	lua/rhm/help/view.lua \
	lua/rhm/input.lua \
	lua/rhm/manual.lua \
	lua/rhm/panel.lua \
	lua/rhm/print.lua \
	lua/rhm/report.lua \
	lua/rhm/shell.lua \
	lua/rhm/startup.lua \
	lua/rhm/view.lua \
	lua/rhm/view/canvas.lua \
	lua/rhm/view/curves.lua \
	lua/rhm/view/distances.lua \
	lua/rhm/view/glyphs.lua \
	lua/rhm/view/grammar.lua \
	lua/rhm/view/histogram.lua \
	lua/rhm/view/jobs.lua \
	lua/rhm/view/keys.lua \
	lua/rhm/view/layers.lua \
	lua/rhm/view/map.lua \
	lua/rhm/view/options.lua \
	lua/rhm/view/palette.lua \
	lua/rhm/view/parse.lua \
	lua/rhm/view/rows.lua \
	lua/rhm/view/state.lua \
	lua/rhm/view/subject.lua \
	lua/rhm/view/synonyms.lua \
	lua/rhm/view/text.lua \
	lua/rhm/view/tokens.lua
