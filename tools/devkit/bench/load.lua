-- wrk: requests for random users. Arguments: what to do (`orders` or `accounts`), and a file with a user's id on each line.
local users, threads, next_request = {}, 0, nil

local requests = {
  orders = function(user)
    return wrk.format("POST", "/v1/orders", nil, '{"userId":"' .. user .. '","amount":1}')
  end,
  accounts = function(user) return wrk.format("GET", "/v1/accounts/" .. user) end,
}

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init(arguments)
  next_request = requests[arguments[1]]
  for user in io.lines(arguments[2]) do users[#users + 1] = user end
  math.randomseed(os.time() * 64 + number)
  wrk.headers["Content-Type"] = "application/json"
end

function request() return next_request(users[math.random(#users)]) end

function done(summary, latency, _)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests": %d, "seconds": %.3f, "errors": %d, "p50": %.3f, "p99": %.3f}\n',
    summary.requests, summary.duration / 1e6,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
