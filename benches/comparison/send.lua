-- Sends prepared requests, each once, on one thread. Arguments: the folder with them, how many to leave out, how many to send.
-- The folder holds `bodies`, one after the other, and `index`, a line for each: method, path, length, content type.
-- Prints one line of JSON as soon as all are answered, since wrk itself goes on until its time is over.
local ffi = require("ffi")
ffi.cdef [[
    typedef struct { long seconds; long nanoseconds; } bench_time;
    int clock_gettime(int clock, bench_time *time);
]]

local requests, sent, answered, refused, broken, began, last = {}, nil, 0, 0, 0, nil, nil

local function now()
    local time = ffi.new("bench_time")
    ffi.C.clock_gettime(1, time)
    return tonumber(time.seconds) + tonumber(time.nanoseconds) / 1e9
end

local function report()
    io.write(string.format(
        'RESULT {"requests":%d,"microseconds":%d,"bytes":0,"failed":%d,"failed5":%d}\n',
        answered, (last - began) * 1e6, refused + broken, broken))
    io.flush()
end

function init(arguments)
    local folder, skipped, number = arguments[1], tonumber(arguments[2]), tonumber(arguments[3])
    local bodies, at = assert(io.open(folder .. "/bodies", "rb")), 0
    for line in io.lines(folder .. "/index") do
        local method, path, length, kind = line:match("^(%S+)\t(%S+)\t(%d+)\t(.*)$")
        at = at + 1
        if at > skipped + number then break end
        local body = bodies:read(tonumber(length)) or ""
        if at > skipped then
            wrk.headers["Content-Type"] = kind
            requests[#requests + 1] = wrk.format(method, path, nil, body)
        end
    end
    bodies:close()
end

function request()
    if not sent then -- wrk looks at one request before it begins, and does not send it
        sent = 0
        return wrk.format("GET", "/-/nothing-left")
    end
    began = began or now()
    sent = sent + 1
    -- Connections that are ready once more than is to be sent ask for something nobody has: a 404 is no answer to a publish.
    return requests[sent] or wrk.format("GET", "/-/nothing-left")
end

function response(status)
    if status == 404 or answered == #requests then return end
    answered, last = answered + 1, now()
    if status >= 500 then broken = broken + 1 elseif status >= 400 then refused = refused + 1 end
    if answered == #requests then report() end
end

function done()
end
