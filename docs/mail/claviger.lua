-- Asks Claviger about a sign-in. Belongs to dovecot.conf. Replace keys.example.com.
local URL = "https://keys.example.com/v1/mail-auth"
-- The key with which Dovecot asks, in one line. Readable by the user dovecot alone.
local VERIFIER = "/etc/dovecot/claviger-verifier"

local verifier, client

-- Escapes all that could end a header or begin another escape.
local function escaped(text)
    return (text:gsub("[^A-Za-z0-9@._-]", function(char)
        return string.format("%%%02X", char:byte())
    end))
end

local function open()
    local file = assert(io.open(VERIFIER), "cannot read " .. VERIFIER)
    verifier = assert(file:read("l"), VERIFIER .. " is empty")
    file:close()
    -- Postfix waits 10 s for an answer.
    client = dovecot.http.client({ request_absolute_timeout_msecs = 7000, max_attempts = 2 })
end

-- Returns the headers of Claviger's answer: status, code and name.
local function ask(request, password)
    if not client then
        open()
    end
    local question = client:request({ url = URL, method = "GET" })
    question:add_header("Claviger-Verifier", verifier)
    question:add_header("Auth-Method", "plain")
    question:add_header("Auth-User", escaped(request.user))
    question:add_header("Auth-Pass", escaped(password))
    question:add_header("Auth-Protocol", "smtp")
    question:add_header("Auth-Login-Attempt", "1")
    question:add_header("Client-IP", request.rip)
    local answer = question:submit()
    if answer:status() ~= 200 then
        error("Claviger answers by status " .. answer:status(), 0)
    end
    return answer:header("Auth-Status"), answer:header("Auth-Error-Code"), answer:header("Auth-User")
end

-- Has the client try again later. Postfix turns every failure that Dovecot reports into 535, by
-- which clients give up or ask for another secret. It answers 454 only if it gets no answer in 10 s.
local function undecided(request, reason)
    request:log_error("claviger: " .. reason)
    os.execute("sleep 12")
    return dovecot.auth.PASSDB_RESULT_INTERNAL_FAILURE, {}
end

function auth_password_verify(request, password)
    local is_answered, status, code, user = pcall(ask, request, password)
    if not is_answered then
        return undecided(request, tostring(status))
    end
    if status == "OK" and user and user:match("^[!-~]+$") then
        return dovecot.auth.PASSDB_RESULT_OK, { user = user }
    end
    if code and code:sub(1, 4) == "535 " then
        request:log_info("claviger: " .. code .. " " .. tostring(status))
        return dovecot.auth.PASSDB_RESULT_PASSWORD_MISMATCH, {}
    end
    return undecided(request, tostring(code) .. " " .. tostring(status))
end
