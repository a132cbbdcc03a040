// Messages: find one among millions, and act on one or many.
import { h, put, plain } from "../dom.js";
import { ask, curl, get, headers, may, offers, query, session } from "../api.js";
import { badge, button, confirm, copier, empty, head, note, table, trouble } from "../ui.js";
import { number, when } from "../format.js";
import * as words from "../words.js";
import { onEvent } from "../live.js";
import message from "./message.js";

const LIMIT = 100;
const STATUSES = ["queued", "scheduled", "retrying", "sending", "sent", "delivered", "failed", "expired", "cancelled", "dropped"];
const FILTERS = ["status", "link", "dest_smsc", "source_smsc", "from", "to", "text", "cause", "client_ref", "remote_id", "attempts_min", "since", "until", "kind"];
const SPANS = [["", "any time"], ["15m", "last 15 min"], ["1h", "last hour"], ["24h", "last 24 h"]];
const SECONDS = { "15m": 900, "1h": 3600, "24h": 86400 };

export default async function messages(page) {
  if (page.rest.length) return message(page);
  const filters = {};
  for (const f of FILTERS) if (page.query.get(f)) filters[f] = page.query.get(f);
  const q = page.query.get("q")?.trim() ?? "";
  if (q && (await straight(q, page))) return;
  const params = { ...filters, view: "full", order: "desc", limit: LIMIT, account: session.account, after: page.query.get("after") };
  const last = page.query.get("last");
  if (SECONDS[last]) params.since = new Date(Date.now() - SECONDS[last] * 1000).toISOString();

  const chosen = new Set();
  const pill = h("div", { class: "page", role: "status" });
  const rows = h("div", {});
  const foot = h("div", { class: "pager" });
  const acts = h("span", { class: "acts" });
  let newest = 0;
  const live = { on: page.query.get("tail") === "1", fresh: 0 };
  const tail = button("Live tail", () => page.go("/messages" + query({ ...Object.fromEntries(page.query), tail: live.on ? "" : "1" })));
  tail.setAttribute("aria-pressed", String(live.on));
  put(page.root, head("Messages", tail, button("CSV", () => csv(params), { title: "Everything that matches, as comma-separated values" }), may("send") && h("a", { class: "button primary", href: "/send", "data-key": "n" }, "Send a message")),
    filterBar(page, filters, q, last), pill, rows, foot);

  const show = async () => {
    try {
      const { list, next, truncated, total } = await find(q, params, page.signal);
      live.fresh = 0;
      newest = list[0]?.id ?? 0;
      put(pill);
      if (!list.length) put(rows, nothing(page, filters, q, last));
      else put(rows, listing(list, chosen, () => bulk(acts, chosen, list, show)));
      put(foot, h("span", {}, list.length ? `${number(list.length)} shown` + (total && Number(total) > list.length ? ` of ${number(Number(total))}` : "") : "", truncated ? "; the search stopped at its limit, older ones may match too" : ""), acts,
        h("span", {}, page.query.get("after") && h("a", { class: "button", "data-key": "[", href: "/messages" + query({ ...Object.fromEntries(page.query), after: "" }) }, "Newest"), " ",
          next && h("a", { class: "button", "data-key": "]", href: "/messages" + query({ ...Object.fromEntries(page.query), after: next }) }, "Older")));
      bulk(acts, chosen, list, show);
    } catch (e) {
      if (e.name !== "AbortError") put(rows, trouble(e, show));
    }
  };
  await show();
  // Rows never move under the pointer: what is new waits behind a pill,
  // unless the tail was asked for.
  // A stream that tells nothing of messages is made up for by asking.
  let due = false;
  let heard = 0;
  onEvent((kind) => {
    if (page.query.get("after")) return;
    if (kind === "message.accepted") live.fresh++;
    if (kind.startsWith("message.")) { due = true; heard = Date.now(); }
  }, page.signal);
  page.every(2500, async () => {
    if (Date.now() - heard < 10000 || page.query.get("after") || q) return;
    const { data } = await get("/api/messages", { ...params, view: "", limit: LIMIT }, page.signal).catch(() => ({ data: [] }));
    live.fresh = data.filter((m) => m.id > newest).length;
    if (live.fresh) due = true;
  });
  page.every(1000, async () => {
    if (!due) return;
    due = false;
    if (live.on && !chosen.size) return show();
    if (live.fresh) put(pill, h("button", { type: "button", class: "pill", onclick: show }, `${number(live.fresh)} newer`));
  });
}

// straight goes to a message whose id or sid was typed.
async function straight(q, page) {
  if (!/^(SM[0-9a-f]{32}|\d{1,16})$/i.test(q)) return false;
  try {
    await get("/api/messages/" + q, {}, page.signal);
  } catch {
    return false;
  }
  page.go("/messages/" + q, { replace: true });
  return true;
}

// find asks for one page. A free search asks by each field that fits it and
// puts the answers together, newest first.
async function find(q, params, signal) {
  const one = async (more) => {
    const { data, headers } = await get("/api/messages", { ...params, ...more }, signal);
    const next = /[?&]after=([^&>]+)/.exec(headers.get("Link") ?? "")?.[1];
    return { list: data, next, truncated: headers.get("X-Scan-Truncated") === "true", total: headers.get("X-Total-Count") };
  };
  if (!q) return one({});
  const isNumber = /^[+0-9][0-9 ()-]{2,}\*?$/.test(q);
  const tries = isNumber ? [{ from: prefix(q) }, { to: prefix(q) }, { client_ref: q }, { remote_id: q }] : [{ text: q }, { from: q }, { client_ref: q }, { remote_id: q }];
  if (/^[A-Za-z0-9._@-]{1,64}$/.test(q)) tries.push({ link: q });
  const found = await Promise.all(tries.map((t) => one(t).catch((e) => { if (e.name === "AbortError" || e.status === 401) throw e; return { list: [] }; })));
  const byID = new Map(found.flatMap((f) => f.list).map((m) => [m.id, m]));
  return { list: [...byID.values()].sort((a, b) => b.id - a.id).slice(0, LIMIT), truncated: found.some((f) => f.truncated || f.next) };
}

const prefix = (q) => q.replace(/[ ()-]/g, "") + (q.endsWith("*") ? "" : "*");

function filterBar(page, filters, q, last) {
  const box = (label, name, make) => h("label", {}, label, make(name));
  const text = (name) => h("input", { name, value: filters[name] ?? "", autocomplete: "off", spellcheck: "false" });
  const choice = (options, value) => (name) => {
    const el = h("select", { name, onchange: (e) => e.target.form.requestSubmit() }, options.map((o) => h("option", { value: Array.isArray(o) ? o[0] : o }, (Array.isArray(o) ? o[1] : o) || "any")));
    if (value && ![...el.options].some((o) => o.value === value)) el.append(h("option", { value }, value));
    el.value = value ?? "";
    return el;
  };
  const active = Object.keys(filters).length || q || last;
  return h("form", { class: "filters", "aria-label": "Filters", onsubmit: (e) => {
    e.preventDefault();
    page.go("/messages" + query({ ...Object.fromEntries(new FormData(e.target)), tail: page.query.get("tail") }));
  } },
  h("label", { class: "wide" }, "Search", h("input", { name: "q", type: "search", value: q, placeholder: "Number, id, reference, text", autocomplete: "off", spellcheck: "false" })),
  box("Status", "status", choice(["", ...STATUSES, ["failed,expired", "failed or expired"], ["queued,scheduled,retrying", "waiting"]], filters.status)),
  box("Time", "last", choice(SPANS, last ?? "")),
  box("From", "from", text), box("To", "to", text), box("Text", "text", text), box("Link", "link", text), box("Destination", "dest_smsc", text),
  box("Cause", "cause", choice(["", ...words.causes], filters.cause)), box("Attempts, at least", "attempts_min", text),
  box("Kind", "kind", choice([["", "messages"], ["receipt", "receipts"]], filters.kind)),
  ["since", "until", "source_smsc", "client_ref", "remote_id"].filter((f) => filters[f]).map((f) => box(f, f, text)),
  h("button", { class: "button", type: "submit" }, "Filter"), active ? h("a", { class: "button quiet", href: "/messages" }, "Clear") : null);
}

function listing(list, chosen, onChoice) {
  return table([
    may("send") && { label: "mark", cell: (m) => {
      const box = h("input", { type: "checkbox", "aria-label": "Mark message " + m.id, onchange: () => { box.checked ? chosen.add(m.id) : chosen.delete(m.id); onChoice(); } });
      box.checked = chosen.has(m.id);
      return box;
    } },
    { label: "time", cell: (m) => h("a", { href: "/messages/" + m.id, class: "num" }, when(m.inserted_at)) },
    { label: "from", cell: (m) => plain(m.source_msisdn, 24) },
    { label: "to", cell: (m) => plain(m.destination_msisdn, 28) },
    { label: "text", wide: true, cell: (m) => plain(m.message_body, 60) },
    { label: "parts", num: true, cell: (m) => number(m.parts) },
    { label: "status", cell: (m) => badge(m.status, m.cause ? `${m.cause}: ${m.detail ?? ""}` : undefined) },
    { label: "link", cell: (m) => m.link ?? m.dest_smsc ?? "-" },
    { label: "tries", num: true, cell: (m) => number(m.delivery_attempts) },
    { label: "taken", num: true, cell: (m) => (m.delivered_at ? number((new Date(m.delivered_at) - new Date(m.inserted_at)) / 1000) + " s" : "-") },
  ], list, { label: "Messages, newest first", rowKey: (m) => m.id, open: (m) => document.querySelector(`tr[data-key="${m.id}"] a`)?.click() });
}

// bulk offers what can be done with the marked rows.
function bulk(el, chosen, list, again) {
  put(el);
  if (!chosen.size) return;
  const act = (word, path) => button(`${word} ${chosen.size}`, () => {
    const ids = list.filter((m) => chosen.has(m.id)).map((m) => m.id);
    confirm(`${word} ${ids.length} messages`, `Each of the ${ids.length} marked messages is asked by itself; those that cannot be are named.`, word, async () => {
      const refused = [];
      for (const id of ids) {
        try {
          await ask("POST", `/api/messages/${id}/${path}`);
        } catch (e) {
          refused.push(`${id}: ${e.code || e.message}`);
        }
      }
      chosen.clear();
      note(`${word}: ${ids.length - refused.length} done` + (refused.length ? `, ${refused.length} refused (${refused.slice(0, 3).join("; ")})` : ""));
      again();
    }, { command: () => ids.map((id) => curl("POST", `/api/messages/${id}/${path}`)).join("\n") });
  });
  put(el, act("Retry", "retry"), act("Cancel", "cancel"), copier(() => [...chosen].join("\n"), "Copy ids"));
}

function nothing(page, filters, q, last) {
  const all = [...Object.keys(filters), q && "q", last && "last"].filter(Boolean);
  if (!all.length && !session.account) return empty("No messages yet.", may("send") ? h("a", { href: "/send" }, "Send a test message") : "They appear here as they arrive.");
  return empty("No message matches.", h("p", {}, "Take away a filter:"), h("p", { class: "acts" }, all.map((f) => h("a", { class: "button", href: "/messages" + query({ ...Object.fromEntries(page.query), [f]: "", after: "" }) }, `${f}: ${page.query.get(f)} ×`))));
}

// csv saves everything that matches as a file, without opening an address
// that would hold the key.
async function csv(params) {
  try {
    const reply = await fetch("/api/messages" + query({ ...params, limit: 10000, after: "" }), { headers: { ...headers(), Accept: "text/csv" }, credentials: "omit" });
    let blob = await reply.blob();
    if (!/csv/.test(reply.headers.get("Content-Type") ?? "")) blob = new Blob([toCSV(JSON.parse(await blob.text()))], { type: "text/csv" });
    const a = h("a", { href: URL.createObjectURL(blob), download: "messages.csv" });
    a.click();
    setTimeout(() => URL.revokeObjectURL(a.href), 10000);
  } catch (e) {
    note("Not saved: " + e.message);
  }
}

// A cell that a spreadsheet would take for a formula is made a text.
function toCSV(list) {
  const cols = ["id", "inserted_at", "source_msisdn", "destination_msisdn", "message_body", "parts", "status", "cause", "link", "delivery_attempts", "delivered_at", "client_ref"];
  const cell = (v) => {
    let s = v === null || v === undefined ? "" : String(v);
    if (/^[=@\t\r]|^[+-](?!\d+$)/.test(s)) s = "'" + s;
    return /[",\n\r]/.test(s) ? '"' + s.replaceAll('"', '""') + '"' : s;
  };
  return [cols.join(","), ...list.map((m) => cols.map((c) => cell(m[c])).join(","))].join("\r\n") + "\r\n";
}

export const can = (path) => offers("POST", "/api/messages/{id}/" + path);
