# Modules written in Lua, installed as share/rhm/lua/rhm/*.lua.
lua_modules = \
	lua/rhm/print.lua \
	lua/rhm/shell.lua \
	lua/rhm/startup.lua
