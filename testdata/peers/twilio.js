// Drives the server with Twilio's own helper library: sends, lists and
// fetches messages, and validates the signature of a callback.
//   node twilio.js URL SID TOKEN        a tour; prints one JSON line
//   node twilio.js validate TOKEN URL SIGNATURE JSON-PARAMS
const twilio = require('twilio');

const [, , first, ...rest] = process.argv;
if (first === 'validate') {
  const [token, url, signature, params] = rest;
  console.log(JSON.stringify({ valid: twilio.validateRequest(token, signature, url, JSON.parse(params)) }));
  process.exit(0);
}

const [sid, token] = rest;

// Only the host and the version of the path differ; requests and answers stay
// as the library makes and reads them.
class Client {
  async request(o) {
    const url = new URL(o.uri.replace(/^https:\/\/api\.twilio\.com(:443)?\/2010-04-01/, first + '/restcomm/2012-04-24'));
    for (const [k, v] of Object.entries(o.params || {})) url.searchParams.set(k, v);
    const headers = { ...o.headers, Authorization: 'Basic ' + Buffer.from(o.username + ':' + o.password).toString('base64') };
    let body;
    if (o.data) {
      body = new URLSearchParams(Object.entries(o.data).filter(([, v]) => v !== undefined)).toString();
      headers['Content-Type'] = 'application/x-www-form-urlencoded';
    }
    const r = await fetch(url, { method: o.method, headers, body });
    const text = await r.text();
    let parsed;
    try { parsed = JSON.parse(text); } catch { parsed = text; }
    return { statusCode: r.status, body: parsed, headers: {} };
  }
}

(async () => {
  const client = twilio(sid, token, { httpClient: new Client() });
  const sent = [];
  for (let i = 0; i < 3; i++) {
    const m = await client.messages.create({ from: '+15551230001', to: '+44770090012' + i, body: 'twilio ' + i });
    sent.push(m.sid);
  }
  const listed = await client.messages.list({ limit: 3 });
  const fetched = await client.messages(sent[0]).fetch();
  let refused = 0;
  try { await client.messages.create({ from: '+15551230001', to: '+447700900120' }); } catch (e) { refused = e.status; }
  console.log(JSON.stringify({
    sent, listed: listed.map((m) => m.sid), body: fetched.body, status: fetched.status, direction: fetched.direction,
    created: fetched.dateCreated instanceof Date && !isNaN(fetched.dateCreated), account: fetched.accountSid, refused,
  }));
})().catch((e) => { console.error(e); process.exit(1); });
