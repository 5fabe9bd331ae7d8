-- enumeration.lua - for the tests of grammars: all that a sequence of symbols derives.
local M = {}

-- All sequences that come of `sequence` where each symbol is rewritten by one of its rules.
function M.rewritten(rules, sequence)
  local list = {{}}
  for _, symbol in ipairs(sequence) do
    local grown = {}
    for _, prefix in ipairs(list) do
      for _, children in ipairs(rules[symbol]) do
        local t = table.move(prefix, 1, #prefix, 1, {})
        grown[#grown + 1] = table.move(children, 1, #children, #t + 1, t)
      end
    end
    list = grown
  end
  return list
end

return M
