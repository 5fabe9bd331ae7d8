local M = {}
function M.line(v) return tostring(v) end
function M.print(...) print(...) end
function M.duration(s) return string.format("%.3f s", s) end
return M
