// The REST API, asked with the visitor's own key. The key lives in the
// session storage of this tab and travels as a header, never in an address.

const STORE = "smsc.key";
const PATIENCE = 30000; // ms that a page waits for an answer before it says that none comes

export const session = { me: null, doc: {}, onUnauthorized: null, account: sessionStorage.getItem("smsc.account") ?? "" };

export class Problem extends Error {
  constructor(status, body, requestID) {
    super(body.detail || body.title || "the server answered " + status);
    Object.assign(this, { status, code: body.code ?? "", errors: body.errors ?? [], requestID: body.request_id ?? requestID, body });
  }
}

export const key = {
  get: () => sessionStorage.getItem(STORE),
  set: (k) => sessionStorage.setItem(STORE, k),
  forget: () => sessionStorage.removeItem(STORE),
};

// headers turns what the visitor typed into a credential: account:token is
// Basic, everything else a key.
export function headers(k = key.get()) {
  if (!k) return {};
  const at = k.indexOf(":");
  if (at <= 0) return { "X-API-Key": k };
  return { Authorization: "Basic " + btoa(String.fromCharCode(...new TextEncoder().encode(k))) };
}

export function query(params) {
  const q = new URLSearchParams();
  for (const [name, value] of Object.entries(params ?? {})) {
    if (value !== undefined && value !== null && value !== "") q.set(name, value);
  }
  const s = q.toString();
  return s ? "?" + s : "";
}

// ask sends one request and returns its data, ETag and headers. A failure
// throws Problem.
export async function ask(method, path, { params, body, text, etag, accept, signal, as } = {}) {
  const head = { ...headers(as), Accept: accept ?? "application/json" };
  if (body !== undefined) head["Content-Type"] = "application/json";
  if (text !== undefined) head["Content-Type"] = "application/yaml";
  if (etag) head["If-Match"] = etag;
  const limit = AbortSignal.timeout(PATIENCE);
  let reply;
  let raw;
  try {
    reply = await fetch(path + query(params), { method, headers: head, body: text ?? (body === undefined ? undefined : JSON.stringify(body)), signal: signal ? AbortSignal.any([signal, limit]) : limit, cache: "no-store", credentials: "omit" });
    raw = await reply.text();
  } catch (e) {
    if (e.name === "AbortError") throw e;
    throw new Problem(0, { detail: limit.aborted ? "The server has not answered in time." : "The server does not answer.", code: "unreachable" });
  }
  let data = raw;
  if (/json/.test(reply.headers.get("Content-Type") ?? "")) {
    try {
      data = JSON.parse(raw);
    } catch {
      data = {};
    }
  }
  if (!reply.ok) {
    const p = new Problem(reply.status, typeof data === "object" ? data : {}, reply.headers.get("X-Request-Id"));
    if (reply.status === 401 && as === undefined) session.onUnauthorized?.(p);
    throw p;
  }
  return { data, etag: reply.headers.get("ETag"), headers: reply.headers, status: reply.status };
}

export const get = (path, params, signal) => ask("GET", path, { params, signal });

// learn reads what this server offers from its own description.
export async function learn() {
  const { data } = await ask("GET", "/api/openapi.json", { as: "" });
  session.doc = data.paths ?? {};
}

// offers tells whether the server has an endpoint, so that no page asks in vain.
export function offers(method, path) {
  return Boolean(session.doc[path]?.[method.toLowerCase()]);
}

const rank = { read: 1, send: 2, admin: 3 };

// may tells whether the visitor's role allows what needs the given one.
export function may(role) {
  return (rank[session.me?.role] ?? 0) >= rank[role];
}

export const isOperator = () => session.me?.operator === true && may("admin");

// curl writes a request as a command; the key is named, never shown.
export function curl(method, path, body) {
  const quote = (s) => "'" + s.replaceAll("'", `'\\''`) + "'";
  const words = ["curl -sS", method === "GET" ? "" : "-X " + method, '-H "X-API-Key: $SMSC_KEY"'];
  if (body !== undefined) words.push("-H 'Content-Type: application/json'", "-d " + quote(JSON.stringify(body)));
  return [...words, quote(location.origin + path)].filter(Boolean).join(" ");
}
