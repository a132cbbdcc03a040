// Messages: find one among millions, and act on one or many.
import { h, put, plain } from "../dom.js";
import { curl, get, headers, may, query, session } from "../api.js";
import { badge, button, copier, empty, head, note, table, trouble } from "../ui.js";
import { number, span, when } from "../format.js";
import * as words from "../words.js";
import { onEvent } from "../live.js";
import { bulk } from "../bulk.js";
import message from "./message.js";

const LIMIT = 100;
const STATUSES = ["queued", "scheduled", "retrying", "sending", "sent", "delivered", "failed", "expired", "cancelled", "dropped"];
const FILTERS = ["status", "account", "link", "dest_smsc", "source_smsc", "from", "to", "text", "cause", "client_ref", "remote_id", "attempts_min", "since", "until", "kind"];
const SPANS = [["", "any time"], ["15m", "last 15 min"], ["1h", "last hour"], ["24h", "last 24 h"]];
const SECONDS = { "15m": 900, "1h": 3600, "24h": 86400 };

export default async function messages(page) {
  if (page.rest.length) return message(page);
  const filters = {};
  for (const f of FILTERS) if (page.query.get(f)) filters[f] = page.query.get(f);
  const q = page.query.get("q")?.trim() ?? "";
  if (q && (await straight(q, page))) return;
  const params = { account: session.account, ...filters, search: q.replace(/\*$/, ""), view: "full", order: "desc", limit: LIMIT, after: page.query.get("after") };
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
  put(page.root, head("Messages", tail, button("CSV", () => csv(params), { title: "Everything that matches, as comma-separated values" }), copier(() => curl("GET", "/api/messages" + query({ ...params, limit: LIMIT })), "Copy as curl"), may("send") && h("a", { class: "button primary", href: "/send", "data-key": "n" }, "Send a message")),
    filterBar(page, filters, q, last), pill, rows, foot);

  const show = async () => {
    try {
      const passed = live.fresh;
      live.fresh = 0;
      const { list, next, truncated, total } = await find(params, page.signal);
      newest = list[0]?.id ?? 0;
      put(pill, live.on && passed > LIMIT && h("p", { class: "small center" }, `showing 1 in ${number(Math.round(passed / LIMIT))}`));
      if (!list.length) put(rows, nothing(page, filters, q, last));
      else put(rows, listing(page, list, chosen, () => mark(list)));
      put(foot, h("span", {}, list.length ? `${number(list.length)} shown` + (total && Number(total) > list.length ? ` of ${number(Number(total))}` : "") : "", truncated ? "; the search stopped at its limit, older ones may match too" : ""), acts,
        h("span", {}, page.query.get("after") && h("a", { class: "button", "data-key": "[", href: "/messages" + query({ ...Object.fromEntries(page.query), after: "" }) }, "Newest"), " ",
          next && h("a", { class: "button", "data-key": "]", href: "/messages" + query({ ...Object.fromEntries(page.query), after: next }) }, "Older")));
      mark(list);
    } catch (e) {
      if (e.name !== "AbortError") put(rows, trouble(e, show));
    }
  };
  const mark = (list) => bulk(acts, { chosen, list, filter: list.length ? matching(params) : null, again: show });
  await show();
  // Rows never move under the pointer: what is new waits behind a pill,
  // unless the tail was asked for. A stream that tells nothing of messages is
  // made up for by asking.
  let due = false;
  let heard = 0;
  let drawn = 0;
  const tick = async () => {
    if (!due || page.signal.aborted) return;
    due = false;
    drawn = Date.now();
    if (live.on && !chosen.size && !rows.querySelector("tr:focus-within")) return show();
    if (live.fresh) put(pill, h("button", { type: "button", class: "pill", onclick: show }, Object.keys(filters).length || q ? "newer ones may match" : `${number(live.fresh)} newer`));
  };
  let soon = 0;
  onEvent((kind) => {
    if (!kind.startsWith("message.") || page.query.get("after")) return;
    if (kind === "message.accepted") live.fresh++;
    due = true;
    heard = Date.now();
    // At once, and then at most twice a second.
    soon ||= setTimeout(() => { soon = 0; tick(); }, Math.max(0, drawn + 500 - heard));
  }, page.signal, live.on ? ["message.*"] : ["message.accepted"]);
  page.every(2500, async () => {
    if (Date.now() - heard < 10000 || page.query.get("after") || q) return;
    const { data } = await get("/api/messages", { ...params, view: "", limit: LIMIT }, page.signal).catch(() => ({ data: [] }));
    live.fresh = data.filter((m) => m.id > newest).length;
    if (live.fresh) due = true;
  });
  page.every(1000, tick);
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

// matching is what the list is narrowed by, as an action takes it.
const matching = ({ view, order, limit, after, ...filter }) => Object.fromEntries(Object.entries(filter).filter(([, v]) => v));

// find asks for one page.
async function find(params, signal) {
  const { data, headers } = await get("/api/messages", params, signal);
  const next = /[?&]after=([^&>]+)/.exec(headers.get("Link") ?? "")?.[1];
  return { list: data, next, truncated: headers.get("X-Scan-Truncated") === "true", total: headers.get("X-Total-Count") };
}

function filterBar(page, filters, q, last) {
  const box = (label, name, make) => h("label", {}, label, make(name));
  const text = (name) => h("input", { name, value: filters[name] ?? "", autocomplete: "off", spellcheck: "false" });
  const choice = (options, value) => (name) => {
    const el = h("select", { name, onchange: (e) => e.target.form.requestSubmit() }, options.map((o) => h("option", { value: Array.isArray(o) ? o[0] : o }, (Array.isArray(o) ? o[1] : o.replaceAll("_", " ")) || "any")));
    if (value && ![...el.options].some((o) => o.value === value)) el.append(h("option", { value }, value));
    el.value = value ?? "";
    return el;
  };
  const rare = ["from", "to", "text", "link", "dest_smsc", "account", "attempts_min", "kind", "since", "until", "source_smsc", "client_ref", "remote_id"];
  const set = rare.filter((f) => filters[f]).length;
  const active = Object.keys(filters).length || q || last;
  return h("form", { class: "filters", "aria-label": "Filters", onsubmit: (e) => {
    e.preventDefault();
    page.go("/messages" + query({ ...Object.fromEntries(new FormData(e.target)), tail: page.query.get("tail") }));
  } },
  h("label", { class: "wide" }, "Search", h("input", { name: "q", type: "search", value: q, placeholder: "Number, id, reference, text", autocomplete: "off", spellcheck: "false" })),
  box("Status", "status", choice(["", ...STATUSES, ["failed,expired", "failed or expired"], ["queued,scheduled,retrying", "waiting"]], filters.status)),
  box("Time", "last", choice(SPANS, last ?? "")), box("Cause", "cause", choice(["", ...words.causes], filters.cause)),
  h("button", { class: "button", type: "submit" }, "Filter"), active ? h("a", { class: "button quiet", href: "/messages" }, "Clear") : null,
  h("details", { class: "more", open: set > 0 }, h("summary", {}, set ? `More filters (${set} set)` : "More filters"), h("div", { class: "filters" },
    box("From", "from", text), box("To", "to", text), box("Text", "text", text), box("Link", "link", text), box("Destination", "dest_smsc", text), box("Source", "source_smsc", text), box("Account", "account", text),
    box("Attempts, at least", "attempts_min", text), box("Kind", "kind", choice([["", "messages"], ["receipt", "receipts"]], filters.kind)),
    box("Since", "since", text), box("Until", "until", text), box("Reference", "client_ref", text), box("Remote id", "remote_id", text))));
}

function listing(page, list, chosen, onChoice) {
  const every = h("input", { type: "checkbox", "aria-label": "Mark all of this page", onchange: () => {
    for (const m of list) every.checked ? chosen.add(m.id) : chosen.delete(m.id);
    document.querySelectorAll("td[data-label=mark] input").forEach((box) => { box.checked = every.checked; });
    onChoice();
  } });
  every.checked = list.length > 0 && list.every((m) => chosen.has(m.id));
  return table([
    may("send") && { label: "mark", top: every, minor: true, cell: (m) => {
      const box = h("input", { type: "checkbox", "aria-label": "Mark message " + m.id, onchange: () => { box.checked ? chosen.add(m.id) : chosen.delete(m.id); onChoice(); } });
      box.checked = chosen.has(m.id);
      return box;
    } },
    { label: "time", cell: (m) => h("a", { href: "/messages/" + m.id, class: "num" }, when(m.inserted_at)) },
    { label: "from", cell: (m) => plain(m.source_msisdn, 24) },
    { label: "to", cell: (m) => plain(m.destination_msisdn, 28) },
    { label: "text", wide: true, bare: true, cell: (m) => plain(m.message_body, 60) },
    { label: "parts", num: true, minor: true, cell: (m) => number(m.parts) },
    { label: "status", cell: (m) => badge(m.status, m.cause ? `${m.cause}: ${m.detail ?? ""}` : undefined) },
    { label: "link", minor: true, cell: (m) => m.link ?? m.dest_smsc ?? "-" },
    { label: "failed tries", num: true, minor: true, help: "Attempts that did not succeed", cell: (m) => number(m.delivery_attempts) },
    { label: "took", num: true, minor: true, help: "From the answer to its sender until the recipient had it", cell: (m) => (m.delivered_at ? took(new Date(m.delivered_at) - new Date(m.inserted_at)) : "-") },
  ], list, { label: "Messages, newest first", rowKey: (m) => m.id, cards: true, open: (m) => page.go("/messages/" + m.id) });
}

// took is a length of time that is known to the second.
const took = (ms) => (ms < 1000 ? "under 1 s" : span(ms / 1000));

function nothing(page, filters, q, last) {
  const all = [...Object.keys(filters), q && "q", last && "last"].filter(Boolean);
  if (!all.length && !session.account) return empty("No messages yet.", may("send") ? h("a", { class: "button primary", href: "/send" }, "Send a test message") : "They appear here as they arrive.");
  return empty("No message matches.", h("p", {}, "Take away a filter:"), h("p", { class: "acts" }, all.map((f) => h("a", { class: "button", href: "/messages" + query({ ...Object.fromEntries(page.query), [f]: "", after: "" }) }, `${f}: ${page.query.get(f)} ×`))));
}

// csv saves everything that matches as a file, without opening an address
// that would hold the key.
async function csv(params) {
  try {
    const reply = await fetch("/api/messages" + query({ ...params, limit: 10000, after: "" }), { headers: { ...headers(), Accept: "text/csv" }, credentials: "omit" });
    if (!reply.ok) throw new Error("the server answered " + reply.status);
    const a = h("a", { href: URL.createObjectURL(await reply.blob()), download: "messages.csv" });
    a.click();
    setTimeout(() => URL.revokeObjectURL(a.href), 10000);
  } catch (e) {
    note("Not saved: " + e.message);
  }
}
