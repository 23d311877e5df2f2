-- wrk: requests of `per_request` events with transaction ids never used before; prints one line of JSON at the end.
local sent = 0
local per_request, key, prefix

function init(args)
  per_request, key, prefix = tonumber(args[1]), args[2], args[3]
  wrk.headers["Authorization"] = "Bearer " .. key
  wrk.headers["Content-Type"] = "application/json"
end

local function event()
  sent = sent + 1
  return '{"transaction_id":"' .. prefix .. sent .. '","external_subscription_id":"subscription-' .. sent % 1000
    .. '","code":"api_calls","timestamp":' .. 1767225600 + sent % 2600000
    .. ',"properties":{"amount":' .. sent % 997 .. '.25,"region":"europe-west","user":"user-' .. sent % 50 .. '"}}'
end

function request()
  if per_request == 1 then
    return wrk.format("POST", "/api/v1/events", nil, '{"event":' .. event() .. "}")
  end
  local events = {}
  for place = 1, per_request do
    events[place] = event()
  end
  return wrk.format("POST", "/api/v1/events/batch", nil, '{"events":[' .. table.concat(events, ",") .. "]}")
end

function done(summary, latency, requests)
  io.write(string.format(
    '{"requests":%d,"microseconds":%d,"p50_ms":%.2f,"p99_ms":%.2f,"errors":%d}\n',
    summary.requests, summary.duration, latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  ))
end
