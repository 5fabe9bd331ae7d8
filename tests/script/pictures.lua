-- pictures.lua - for the tests of views: layers in each state they may be in, and views drawn at each size.
local lu = require "luaunit"
local text, palette = require "rhm.view.text", require "rhm.view.palette"

local M = {}

M.g = rhm.grammar{ V=8, m=4, s=2, L=3, seed=3 }

-- name -> network and the level to look at
function M.networks()
  local g, list = M.g, {}
  local function train(net, options)
    options.progress = false
    net:train(options)
    return net
  end
  list.untrained = {rhm.network{ grammar=g, M=256 }, 3}
  local net = rhm.network{ grammar=g, M=256 }
  net:layer(3):begin{ from=g, n=5000 }
  list.begun = {net, 3}
  net = rhm.network{ grammar=g, M=256 }
  net:layer(3):begin{ from=g, n=5000 }
  net:layer(3):step(5)
  list.stepped = {net, 3}
  local data = g:sample{ n=3000, seed=5 }
  net = rhm.network{ V=8, s=2, L=3, M=256 }
  net:layer(3):begin{ from=data }
  net:layer(3):step(5)
  list.stepped_on_data = {net, 3}
  list.trained = {train(rhm.network{ grammar=g, M=512, seed=1 }, { from=g, n=30000 }), 2}
  list.trained_on_data = {train(rhm.network{ V=8, s=2, L=3, M=256 }, { from=data }), 2}
  list.unknown = {train(rhm.network{ grammar=g, M=8, seed=1 }, { from=g, n=200 }), 2} -- misplaced and unknown patches
  list.exact = {train(rhm.network{ grammar=g, M=256, codebook="exact", seed=1 }, { from=g, n=5000 }), 2}
  return list
end

M.sizes = {{20, 2}, {40, 5}, {80, 10}, {80, 24}, {200, 60}, {60, nil}}

-- Draws at each size, with each set of glyphs and colours: no line is too wide, no ASCII one has other characters, all
-- styles are known ones. check(lines as texts, width, height, options) is called for each.
function M.each(name, subject, options, check)
  local spec = rhm.view.spec(name)
  for _, size in ipairs(M.sizes) do
    for _, ascii in ipairs {true, false} do
      for _, colours in ipairs {0, 8, 256} do
        local width, height, o = size[1], size[2], {ascii = ascii, colours = colours}
        for key, value in pairs(options or {}) do o[key] = value end
        if spec.scroll then height = nil end
        local where = string.format("%s %dx%s ascii=%s colours=%d", name, width, tostring(height), tostring(ascii),
          colours)
        local lines, bare = rhm.view.lines(name, subject, width, height, o), {}
        local styles = rhm.view.palette(colours)
        lu.assertTrue(#lines >= 1 and #lines <= (height or math.huge), where)
        for i, line in ipairs(lines) do
          bare[i] = palette.line(line)
          lu.assertTrue(text.columns(line) <= width, where)
          if ascii then lu.assertNil(bare[i]:find "[\x80-\xff]", where .. ": " .. bare[i]) end
          for _, segment in ipairs(type(line) == "table" and line or {}) do
            for style in (type(segment) == "table" and segment.style or "plain"):gmatch "[^+]+" do
              lu.assertNotNil(styles[style], where .. ": style " .. style)
            end
          end
        end
        if check then check(bare, width, height, o) end
      end
    end
  end
end

-- The lines as one text, in ASCII unless options say otherwise; what the view writes to options stays there.
function M.text(name, subject, width, height, options)
  local lines, o = {}, options or {}
  if o.ascii == nil then o.ascii = true end
  o.colours = o.colours or 0
  for i, line in ipairs(rhm.view.lines(name, subject, width, height, o)) do lines[i] = palette.line(line) end
  return table.concat(lines, "\n"), lines
end

-- A pattern that finds `plain` as it is.
function M.quote(plain)
  return (plain:gsub("%p", "%%%0"))
end

return M
