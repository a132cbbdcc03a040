// One link: how it fares, who is connected, what its peer answered, and its
// settings.
import { h, put, plain } from "../dom.js";
import { ask, curl, get, isOperator, may, offers, query } from "../api.js";
import { badge, button, confirm, copier, facts, head, note, panel, table, trouble } from "../ui.js";
import { bars, lines, meter } from "../chart.js";
import { load } from "../figures.js";
import { age, full, number, span } from "../format.js";
import * as words from "../words.js";
import { at, can, pause, rebind, remove, resume } from "../linkacts.js";
import { edit, settings } from "../linkforms.js";
import { deliveries } from "./webhooks.js";

export default async function link(page) {
  const name = page.rest[0];
  const read = () => get(at(name), {}, page.signal);
  const first = await read();
  const state = h("div", { class: "page" });
  const chart = lines("The last hour", [], { unit: "/s", help: "Messages that came over it, left over it, and failed on it, each second" });
  const answers = h("div", {});
  const tables = h("div", { class: "page" });
  let latest = first;
  const draw = () => put(state, stateOf(latest.data));
  const hour = async () => {
    const { series } = await load("1h", page.signal, { link: name });
    chart.update(["in", "out", "failed"].map((s) => ({ name: s, points: series[s] ?? [] })));
    put(answers, await answered(name, page.signal));
  };
  const l = first.data;
  put(page.root, head([plain(l.name), " ", h("span", { class: "tag" }, l.kind)], acts(page, latest, name, read)), state, h("div", { class: "split" }, chart, panel("Answers, by code", answers)), tables, panel("Settings", settingsOf(l)));
  draw();
  await hour().catch(() => {});
  await details(tables, l, page);
  page.every(10000, () => hour().catch(() => {}));
  page.every(5000, () => { if (!tables.contains(document.activeElement)) details(tables, l, page).catch(() => {}); });
  page.every(2000, async () => {
    try {
      const paused = latest.data.state?.paused;
      latest = await read();
      if (latest.data.state?.paused !== paused) return page.again(); // other acts
      draw();
    } catch (e) {
      if (e.name !== "AbortError") put(state, trouble(e, page.again));
    }
  });
}

function acts(page, first, name, read) {
  const l = first.data;
  return [
    l.state?.status === "paused" || l.state?.paused ? can("resume") && button("Resume", () => resume(name, page)) : can("pause") && button("Pause", () => pause(l, page)),
    can("rebind") && ["carrier", "esme", "sip"].includes(l.kind) && button("Rebind", () => rebind(l, page)),
    may("send") && h("a", { class: "button", href: "/send" + query({ link: name }) }, "Send through it"),
    h("a", { class: "button", href: "/messages" + query({ link: name }) }, "Its messages"),
    may("admin") && offers("PATCH", "/api/links/{name}") && h("button", { type: "button", class: "button", "data-key": "e", onclick: () => edit(page, first, read) }, "Edit"),
    may("admin") && offers("DELETE", "/api/links/{name}") && button("Delete", () => remove(l, page, first.etag), { tone: "danger" }),
    copier(() => curl("GET", at(name)), "Copy as curl"),
  ];
}

function stateOf(l) {
  const s = l.state;
  if (!s) return [h("p", {}, "Its state is not known.")];
  const figure = (name, text, help) => h("div", { class: "tile", title: help, tabindex: "0", role: "group", "aria-label": `${name}: ${text}. ${help}` }, h("span", { class: "tile-name" }, name), h("span", { class: "figure" }, text));
  return [
    h("div", { class: "stateline" }, badge(s.status), s.since && !s.since.startsWith("0001") && h("span", {}, "since ", h("b", {}, full(s.since)), " (", age(s.since), ")"), s.window.size > 0 && l.kind !== "poll" && h("span", {}, "window ", meter(s.window.used, s.window.size), " ", h("b", {}, `${number(s.window.used)}/${number(s.window.size)}`))),
    s.last_error && h("p", { class: s.status === "up" || s.status === "idle" ? "small" : "trouble" }, h("span", {}, h("strong", {}, "Last error: "), plain(s.last_error, 400))),
    h("div", { class: "tiles" }, figure("In/s", number(s.rate?.in), "Messages that came over it, a second"), figure("Out/s", number(s.rate?.out), "Messages that left over it, a second"), figure("Waiting", number(s.queue.waiting), "Messages for it without an end (smsc_link_waiting)"),
      figure("Oldest", s.queue.waiting ? span(s.queue.oldest_seconds) : "-", "How long ago the oldest of them became due (smsc_link_oldest_seconds)"), figure("Failed", number(s.counters.failed), "Attempts over it that were refused since the program started"), figure("Throttled", number(s.counters.throttled), "Times a limit held it back since the program started (smsc_throttled_total)")),
  ];
}

function settingsOf(l) {
  const own = Object.entries(settings(l)).filter(([k]) => !["name", "kind", "account"].includes(k));
  const text = (v) => plain(typeof v === "object" ? JSON.stringify(v) : v, 400);
  return facts([["Kind", (words.kinds[l.kind] ?? [l.kind]).join(": ")], ["Account", l.account], ...own.map(([k, v]) => [k.replaceAll("_", " "), h("code", {}, text(v))]), ["Declared", l.created_at && full(l.created_at)], ["Changed", l.updated_at && l.updated_at !== l.created_at && full(l.updated_at)]]);
}

// COUNTED are the counters of answers, with the label that holds the code.
const COUNTED = { smsc_smpp_status_total: "status", smsc_sip_responses_total: "code", smsc_webhook_total: "code" };

// answered counts what the peer answered since the program started: from the
// counters for the operator, else from the records of the last hour.
async function answered(name, signal) {
  if (isOperator()) {
    const { data } = await ask("GET", "/metrics", { accept: "text/plain", signal });
    const counts = codes(data, name);
    if (counts.size) return [bars([...counts].sort((a, b) => b[1] - a[1]).slice(0, 8)), h("p", { class: "small" }, "Since the program started.")];
  }
  const { data } = await get("/api/cdrs", { link: name, group: "status,cause", since: new Date(Date.now() - 3600000).toISOString() }, signal);
  const rows = data.map((r) => [[r.status, r.cause?.replaceAll("_", " ")].filter(Boolean).join(": "), r.messages]);
  return rows.length ? [bars(rows.sort((a, b) => b[1] - a[1]).slice(0, 8)), h("p", { class: "small" }, "Of what ended in the last hour.")] : h("p", { class: "small" }, "None yet.");
}

function codes(text, name) {
  const counts = new Map();
  for (const line of text.split("\n")) {
    const m = /^(smsc_\w+)\{(.*)\} (\S+)$/.exec(line);
    if (!m || !COUNTED[m[1]] || !m[2].includes(`link="${name}"`)) continue;
    if (m[1] === "smsc_smpp_status_total" && !m[2].includes('direction="in"')) continue;
    if (m[1] === "smsc_sip_responses_total" && !m[2].includes('direction="in"')) continue;
    const code = new RegExp(COUNTED[m[1]] + '="([^"]*)"').exec(m[2])?.[1];
    if (Number(m[3]) > 0) counts.set(code, (counts.get(code) ?? 0) + Number(m[3]));
  }
  return counts;
}

// details are the tables that only some kinds have, where the server offers
// them.
async function details(el, l, page) {
  const parts = [];
  const part = async (path, title, columns) => {
    if (!offers("GET", "/api/links/{name}/" + path)) return;
    try {
      const { data } = await get(at(l.name) + "/" + path, {}, page.signal);
      parts.push(panel(title, data.length ? table(columns, data, { label: title }) : h("p", { class: "small" }, "None now.")));
    } catch (e) {
      if (e.name === "AbortError") throw e;
      if (e.status !== 404 && e.status !== 409) parts.push(panel(title, trouble(e)));
    }
  };
  if (["carrier", "esme", "sip"].includes(l.kind)) await part("sessions", "Connections", sessions(l, page));
  if (["sip-users", "ims"].includes(l.kind)) await part("registrations", "Registrations", registrations(l, page));
  if (l.kind === "webhook" && offers("GET", "/api/webhooks/deliveries")) {
    const { data } = await get("/api/webhooks/deliveries", { link: l.name }, page.signal);
    parts.push(panel("Deliveries", data.length ? deliveries(data.slice(0, 20), page) : h("p", { class: "small" }, "Nothing was posted yet."), data.length > 20 && h("p", { class: "small" }, h("a", { href: "/webhooks" + query({ link: l.name }) }, "All that are kept"))));
  }
  put(el, parts);
}

function dropper(l, page, path, param, key, what, text) {
  if (!may("admin") || !offers("DELETE", `/api/links/{name}/${path}/{${param}}`)) return null;
  const where = (r) => `${at(l.name)}/${path}/${encodeURIComponent(r[key])}` + (r.contact ? query({ contact: r.contact }) : "");
  return { label: "acts", cell: (r) => h("button", { type: "button", class: "button tiny", "aria-label": `${what} ${r[key]}`, onclick: () => confirm(`${what} ${r[key]}`, text, what, async () => { await ask("DELETE", where(r)); note("Done."); page.again(); }, { command: () => ["DELETE", where(r)] }) }, what) };
}

function sessions(l, page) {
  return [
    { label: "peer", cell: (r) => plain(r.peer ?? r.address ?? "-") }, { label: "bind", cell: (r) => plain(r.bind ?? r.transport ?? "-") }, { label: "opened by", cell: (r) => plain(r.opened_by ?? "-") }, { label: "since", cell: (r) => [age(r.since), " ago"] },
    { label: "window", help: "Our requests without an answer", cell: (r) => (r.window ? [meter(r.window.used, r.window.size), `${r.window.used}/${r.window.size}`] : "-") }, { label: "theirs", num: true, help: "The peer's requests without an answer", cell: (r) => number(r.inbound) },
    { label: "enquire_link", help: "How long one of ours is unanswered", cell: (r) => (r.enquire_link_ms > 0 ? span(r.enquire_link_ms / 1000) : "answered") }, { label: "last PDU", cell: (r) => (r.last_at ? [age(r.last_at), " ago"] : "-") },
    dropper(l, page, "sessions", "id", "id", "Disconnect", "It is unbound once its requests are answered. The peer may bind again at once."),
  ];
}

function registrations(l, page) {
  return [
    { label: "address", cell: (r) => plain(r.aor) }, { label: "number", cell: (r) => plain(r.msisdn || "-") }, { label: "contact", wide: true, cell: (r) => plain(r.contact, 80) }, { label: "since", cell: (r) => [age(r.since), " ago"] }, { label: "expires", cell: (r) => full(r.expires) }, { label: "agent", cell: (r) => plain(r.user_agent || "-", 40) },
    dropper(l, page, "registrations", "aor", "aor", "Drop", "It is forgotten; the phone has to register again before messages reach it."),
  ];
}
