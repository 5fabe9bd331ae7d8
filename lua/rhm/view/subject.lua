-- subject.lua - what a view is drawn of: which object stands for another, which layer of a network is meant.
local M = {}

local rhm = require "rhm"
local type, ipairs, rawget, match, format = type, ipairs, rawget, string.match, string.format
local getmetatable = debug.getmetatable

-- "network", "layer", "job", "grammar", ... for our objects, else nil.
function M.kind(value)
  local meta = type(value) == "userdata" and getmetatable(value)
  local name = meta and rawget(meta, "__name")
  return type(name) == "string" and match(name, "^rhm%.(%a+)$") or nil
end
local kind = M.kind

-- The network an object belongs to, or nil.
function M.network(value)
  local k = kind(value)
  if k == "network" then return value end
  local net = (k == "layer" or k == "job") and value.network
  return net and kind(net) == "network" and net or nil
end

-- What is trained as a whole, without levels: a cnn, a shallow or one-step model, also where a job of it is given; else
-- nil.
function M.learner(value)
  if kind(value) == "job" then value = value.network end
  local k = kind(value)
  return (k == "cnn" or k == "shallow" or k == "onestep") and value or nil
end

-- The progress of a network's job, by levels, while it has not ended, and after that, too; nil where it had none.
function M.progress(net)
  local job = net.job
  local progress = job and job.progress
  if not progress or progress.kind ~= "chain" then return nil end
  return progress, job
end

-- The layer one would look at: that in training, else the one trained last while some wait, else the last one, L.
function M.level(net)
  local progress = M.progress(net)
  if progress and progress.level > 0 then return progress.level end
  local last
  for l = net.L, 1, -1 do
    local lay = net:layer(l)
    if not lay.trained then return lay.samples and l or last or net.L end
    last = l
  end
  return net.L
end

-- The subject for a view that takes the kinds `wanted` (nil: anything): the value itself, or what stands for it; nil
-- and a line that says why not. level: of a network's layer.
function M.find(value, wanted, level)
  if not wanted then return value end
  local k = kind(value)
  for _, name in ipairs(wanted) do
    if k == name then return value end
  end
  local net = M.network(value)
  for _, name in ipairs(wanted) do
    if name == "network" and net then return net end
    if name == "learner" and M.learner(value) then return M.learner(value) end
    if name == "layer" and net then return net:layer(math.max(1, math.min(net.L, level or M.level(net)))) end
    if name == "grammar" and net and net.grammar then return net.grammar end
    if name == "job" and net and net.job then return net.job end
  end
  if value == nil then return nil, "nothing to show yet" end
  if net then return nil, "this network has no " .. wanted[1] end
  if M.learner(value) then
    return nil, format("a %s is trained as a whole, not level by level: view \"curves\" and view \"jobs\" show how it "
      .. "goes", kind(M.learner(value)))
  end
  return nil, "a " .. (k or type(value)) .. " has no such view: it shows a " .. table.concat(wanted, " or a ")
end

-- What there is to look at where nothing is said: the network made, trained or stepped last, or where a view takes
-- none or there is none the grammar.
function M.latest(wanted)
  local learner, net = rhm.latest "learner", rhm.latest()
  if not wanted or M.find(learner, wanted) ~= nil then return learner end
  if M.find(net, wanted) ~= nil then return net end
  for _, name in ipairs(wanted) do
    if name == "grammar" and rhm.latest "grammar" then return rhm.latest "grammar" end
  end
  return net
end

return M
