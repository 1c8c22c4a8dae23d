-- Asks Claviger about a request. Belongs to haproxy.cfg.
local URL = os.getenv("CLAVIGER_URL")
local VERIFIER = os.getenv("CLAVIGER_VERIFIER")

core.register_action("claviger", { "http-req" }, function(txn)
    local headers = {
        ["claviger-verifier"] = { VERIFIER },
        ["x-original-method"] = { txn.f:method() },
        ["claviger-address"] = { txn.f:src() },
    }
    local sent = txn.http:req_get_headers()
    for _, name in ipairs({ "authorization", "x-api-key" }) do
        local values = {}
        -- The list begins at 0. Claviger refuses a header with several values.
        for place = 0, #(sent[name] or {}) do
            values[#values + 1] = sent[name] and sent[name][place]
        end
        if #values > 0 then
            headers[name] = { table.concat(values, ", ") }
        end
    end
    -- Headers by which a request asks for another method make it one that writes.
    for name, values in pairs(sent) do
        if name:find("method") then
            headers[name] = headers[name] or { values[0] }
        end
    end
    local answer = core.httpclient():get({ url = URL, headers = headers, timeout = 5000 })
    local function first(name)
        return answer.headers and answer.headers[name] and answer.headers[name][0] or ""
    end
    local status = answer.status or 0
    -- No answer is no permission.
    txn:set_var("txn.claviger_status", status == 0 and "503" or tostring(status))
    txn:set_var("txn.claviger_challenge", first("www-authenticate"))
    txn:set_var("txn.claviger_account", first("claviger-account"))
    txn:set_var("txn.claviger_key", first("claviger-key"))
    txn:set_var("txn.claviger_permissions", first("claviger-permissions"))
end)
