-- Sends the requests of a file, in order and over again, and prints what came back as JSON.
local requests, at, pause = {}, 0, 0
ok, busy, failed = 0, 0, 0
local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  local form = { ["Content-Type"] = "application/x-www-form-urlencoded" }
  for line in io.lines(args[1]) do
    local path, body = line:match("^(.-)\t(.*)$")
    if body == "" then
      table.insert(requests, wrk.format("GET", path))
    else
      table.insert(requests, wrk.format("POST", path, form, body))
    end
  end
  pause = tonumber(args[2])
  if pause > 0 then
    delay = function() return math.floor(-math.log(1 - math.random()) * pause) end
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function response(status)
  if status == 200 then ok = ok + 1
  elseif status == 503 then busy = busy + 1
  else failed = failed + 1 end
end

function done(summary, latency)
  local e, good, full, wrong = summary.errors, 0, 0, 0
  for _, thread in ipairs(threads) do
    good, full = good + thread:get("ok"), full + thread:get("busy")
    wrong = wrong + thread:get("failed")
  end
  io.write(string.format(
    '{"per_second": %f, "p50_ms": %f, "p99_ms": %f, "longest_ms": %f, "answered": %d,'
      .. ' "ok": %d, "busy": %d, "failed": %d}\n',
    summary.requests / summary.duration * 1e6, latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3, latency.max / 1e3, summary.requests,
    good, full, wrong + e.connect + e.read + e.write + e.timeout))
end
