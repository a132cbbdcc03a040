-- wrk -t2 -c64 -d15s --latency -s testdata/wrk/post.lua http://127.0.0.1:8080/api/messages
-- submits messages to the poll link "app" with the key in SMSC_KEY.
wrk.method = "POST"
wrk.headers["X-API-Key"] = os.getenv("SMSC_KEY")
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"source_msisdn":"+15551230001","destination_msisdn":"+447700900123","message_body":"Hello, World!","source_smsc":"web","dest_smsc":"app"}'
