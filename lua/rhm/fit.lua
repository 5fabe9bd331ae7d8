-- fit.lua - rhm.fit: a straight line through points by least squares, on log scales where asked, with intervals.
local M = {}

local check = require "rhm.check"
local type, ipairs, setmetatable = type, ipairs, setmetatable
local format = string.format
local abs, exp, huge, log, sqrt = math.abs, math.exp, math.huge, math.log, math.sqrt

-- --- Student's t --------------------------------------------------------------------------------------------------

-- ln of the gamma function, by Lanczos (g = 7, 9 terms): relative error below 1e-14 for x > 0.
local lanczos = {676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905,
  -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7}
local function log_gamma(x)
  local sum, t = 0.99999999999980993, x + 6.5
  for i, c in ipairs(lanczos) do sum = sum + c / (x + i - 1) end
  return 0.5 * log(2 * math.pi) + (x - 0.5) * log(t) - t + log(sum)
end

-- The continued fraction of the incomplete beta function (Lentz), for x < (a + 1)/(a + b + 2).
local function beta_fraction(x, a, b)
  local c, d = 1, 1 - (a + b) * x / (a + 1)
  d = 1 / (abs(d) < 1e-300 and 1e-300 or d)
  local h = d
  for m = 1, 500 do
    for half = 1, 2 do
      local numerator = half == 1 and m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        or -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
      d = 1 + numerator * d
      c = 1 + numerator / c
      d = 1 / (abs(d) < 1e-300 and 1e-300 or d)
      if abs(c) < 1e-300 then c = 1e-300 end
      h = h * d * c
    end
    if abs(d * c - 1) < 1e-15 then break end
  end
  return h
end

-- I_x(a, b), the regularized incomplete beta function.
local function beta(x, a, b)
  if x <= 0 then return 0 elseif x >= 1 then return 1 end
  local front = exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * log(x) + b * log(1 - x))
  if x < (a + 1) / (a + b + 2) then return front * beta_fraction(x, a, b) / a end
  return 1 - front * beta_fraction(1 - x, b, a) / b
end

-- P[|t| > x] with df degrees of freedom.
local function t_tail(x, df)
  return beta(df / (df + x * x), df / 2, 0.5)
end

-- x with P[|t| <= x] = level.
function M.t_quantile(level, df)
  local low, high = 0, 1
  while t_tail(high, df) > 1 - level do high = 2 * high end
  for _ = 1, 100 do
    local middle = (low + high) / 2
    if t_tail(middle, df) > 1 - level then low = middle else high = middle end
  end
  return (low + high) / 2
end

-- --- the line -----------------------------------------------------------------------------------------------------

local function bracket(low, high)
  return low and format(" [%.4g, %.4g]", low, high) or ""
end

local function fit_text(f)
  local level = f.b_low and format(" (%g %%)", 100 * f.level) or ""
  local power = {[""] = "y = a + b x", x = "y = a + b ln x", y = "ln y = a + b x", xy = "ln y = a + b ln x"}
  return format("%s: b = %.4g%s, a = %.4g%s%s; R2 = %.4f, %d points", power[f.log], f.b, bracket(f.b_low, f.b_high),
    f.a, bracket(f.a_low, f.a_high), level, f.r2, f.n)
end

-- f:at(x): the y of the line.
local function at(f, x)
  local v = f.a + f.b * (f.log:find "x" and log(x) or x)
  return f.log:find "y" and exp(v) or v
end

local meta = {__name = "rhm.fit", __tostring = fit_text, __index = {at = at}, __methods = {at = at},
  __fields = {"a", "a_low", "a_high", "b", "b_low", "b_high", "r2", "n", "log", "level", "sigma"}}

-- The numbers of a list as they enter the line.
local function numbers(t, name, logarithm)
  local list = check.field("rhm.fit", t, name, "table")
  local out = {}
  for i, value in ipairs(list) do
    if type(value) ~= "number" or value ~= value or abs(value) == huge then
      check.fail("rhm.fit", "%s[%d] = %s: must be a finite number", name, i, check.show(value))
    elseif logarithm and value <= 0 then
      check.fail("rhm.fit", "%s[%d] = %s: must be above 0 on a log scale", name, i, check.show(value))
    end
    out[i] = logarithm and log(value) or value
  end
  return out
end

-- rhm.fit{ x=, y= [, log=, level=] }
function M.fit(t)
  check.keys("rhm.fit", t, {"x", "y", "log", "level"})
  local scale = check.field("rhm.fit", t, "log", "string", "")
  if scale ~= "" and scale ~= "x" and scale ~= "y" and scale ~= "xy" then
    check.fail("rhm.fit", "log = %s: must be \"x\", \"y\" or \"xy\"", check.show(scale))
  end
  local level = check.number("rhm.fit", t, "level", 0.01, 0.9999, 0.95)
  local x, y = numbers(t, "x", scale:find "x"), numbers(t, "y", scale:find "y")
  local n = #x
  if n ~= #y then check.fail("rhm.fit", "%d x and %d y: must be as many", n, #y) end
  if n < 2 then check.fail("rhm.fit", "%d point%s: a line needs 2 or more", n, n == 1 and "" or "s") end
  local mean_x, mean_y = 0, 0
  for i = 1, n do mean_x, mean_y = mean_x + x[i] / n, mean_y + y[i] / n end
  local sxx, sxy, syy = 0, 0, 0
  for i = 1, n do
    local dx, dy = x[i] - mean_x, y[i] - mean_y
    sxx, sxy, syy = sxx + dx * dx, sxy + dx * dy, syy + dy * dy
  end
  if sxx <= 1e-24 * n * mean_x * mean_x then check.fail("rhm.fit", "all x are %.6g: no line is determined", t.x[1]) end
  local b = sxy / sxx
  local f = {a = mean_y - b * mean_x, b = b, n = n, log = scale, level = level}
  local rest = 0
  for i = 1, n do rest = rest + (y[i] - f.a - b * x[i]) ^ 2 end
  f.r2 = syy > 0 and 1 - rest / syy or 1
  if n > 2 then
    f.sigma = sqrt(rest / (n - 2))
    local width = M.t_quantile(level, n - 2) * f.sigma
    local of_b, of_a = width / sqrt(sxx), width * sqrt(1 / n + mean_x * mean_x / sxx)
    f.b_low, f.b_high, f.a_low, f.a_high = b - of_b, b + of_b, f.a - of_a, f.a + of_a
  end
  return setmetatable(f, meta)
end

return M
