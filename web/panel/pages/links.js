// Links: every named way in or out, how it fares, and the hands to hold it,
// let it go and connect it anew.
import { h, put, plain } from "../dom.js";
import { ask, get, isOperator, may, offers, query, session } from "../api.js";
import { badge, button, confirm, copier, dialog, empty, facts, form, head, note, panel, save, table, trouble } from "../ui.js";
import { lines, meter } from "../chart.js";
import { load } from "../figures.js";
import { age, full, number, span } from "../format.js";
import * as words from "../words.js";

const can = (what) => may("admin") && offers("POST", "/api/links/{name}/" + what);
const at = (name) => "/api/links/" + encodeURIComponent(name);

export default async function links(page) {
  if (page.rest.length) return one(page);
  let sort = { by: Number(page.query.get("sort") ?? 0), down: page.query.get("down") === "1" };
  const list = h("div", {});
  const rates = new Map();
  let shown = [];
  const draw = () => {
    if (list.contains(document.activeElement) && document.activeElement.matches("button:not(.sort)")) return; // rows stay under a hand
    if (!shown.length) return put(list, empty("No links.", "A link is a named way in or out. Start from a template:", mayCreate() ? h("p", { class: "acts" }, Object.entries(words.kinds).map(([k, [name]]) => button(name, () => create(page, k)))) : null));
    put(list, table(columns(page, rates), shown, { label: "Links", rowKey: (l) => l.name, sort, onSort: (s) => { sort = s; page.remember({ sort: s.by, down: s.down ? "1" : "" }); draw(); }, open: (l) => page.go("/links/" + encodeURIComponent(l.name)) }));
  };
  const load = async () => {
    const { data } = await get("/api/links", {}, page.signal);
    for (const l of data) rates.set(l.name, rate(rates.get(l.name), l.state));
    shown = data.filter((l) => !session.account || l.account === session.account);
    draw();
  };
  put(page.root, head("Links", mayCreate() && h("button", { type: "button", class: "button primary", "data-key": "n", onclick: () => create(page) }, "New link")), list);
  await load();
  page.every(2000, () => load().catch((e) => e.name === "AbortError" || put(list, trouble(e, page.again))));
}

const mayCreate = () => may("admin") && offers("POST", "/api/links");

// rate is what the counters say has passed since the last look.
function rate(last, state) {
  const now = { t: Date.now(), in: state?.counters.in, out: state?.counters.out, busy: 0, perIn: null, perOut: null };
  if (state?.window.size && state.window.used >= state.window.size) now.busy = last?.busy || Date.now();
  if (last && state && now.in >= last.in && now.out >= last.out) {
    const secs = (now.t - last.t) / 1000;
    now.perIn = (now.in - last.in) / secs;
    now.perOut = (now.out - last.out) / secs;
  }
  return now;
}

function columns(page, rates) {
  const r = (l) => rates.get(l.name) ?? {};
  const s = (l) => l.state ?? { window: {}, counters: {}, queue: {} };
  return [
    { label: "name", sort: (l) => l.name, cell: (l) => h("a", { href: "/links/" + encodeURIComponent(l.name) }, l.name) },
    { label: "kind", sort: (l) => l.kind, cell: (l) => l.kind },
    { label: "account", sort: (l) => l.account, cell: (l) => l.account ?? "operator" },
    { label: "state", sort: (l) => s(l).status, cell: (l) => [badge(s(l).status ?? "idle"), r(l).busy && Date.now() - r(l).busy > 5000 ? h("span", { class: "tag", title: "its window has been full for more than 5 s" }, "slow") : null] },
    { label: "sessions", num: true, sort: (l) => s(l).sessions, cell: (l) => number(s(l).sessions) },
    { label: "window", sort: (l) => s(l).window.used, cell: (l) => (s(l).window.size ? [meter(s(l).window.used, s(l).window.size), `${s(l).window.used}/${s(l).window.size}`] : "-") },
    { label: "in/s", num: true, sort: (l) => r(l).perIn, cell: (l) => number(r(l).perIn) },
    { label: "out/s", num: true, sort: (l) => r(l).perOut, cell: (l) => number(r(l).perOut) },
    { label: "waiting", num: true, sort: (l) => s(l).queue.waiting, cell: (l) => number(s(l).queue.waiting) },
    { label: "oldest", num: true, sort: (l) => s(l).queue.oldest_seconds, cell: (l) => (s(l).queue.waiting ? span(s(l).queue.oldest_seconds) : "-") },
    { label: "throttled", num: true, sort: (l) => s(l).counters.throttled, cell: (l) => number(s(l).counters.throttled) },
    { label: "last error", wide: true, cell: (l) => (s(l).last_error ? plain(s(l).last_error, 80) : "-") },
    may("admin") && { label: "acts", cell: (l) => quick(l, page) },
  ];
}

function quick(l, page) {
  if (l.state?.status === "paused" && can("resume")) return h("button", { type: "button", class: "button tiny", onclick: () => resume(l.name, page) }, "Resume");
  return can("pause") ? h("button", { type: "button", class: "button tiny", onclick: () => pause(l, page) }, "Pause") : "-";
}

function pause(l, page) {
  confirm(`Pause ${l.name}`, `No new delivery starts over ${l.name}; ${number(l.state?.window.used ?? 0)} in flight finish. Routes skip it, so the next way takes over; else its messages wait. Connections stay up, and it stays paused over a restart.`, "Pause", async (v) => {
    const body = { direction: v.direction };
    if (v.for) body.for = v.for;
    await ask("POST", at(l.name) + "/pause", { body });
    note(`${l.name} is paused.`, async () => { await ask("POST", at(l.name) + "/resume"); page.again(); });
    page.again();
  }, {
    fields: [{ name: "direction", label: "What", type: "select", options: [["out", "out: start no deliveries"], ["in", "in: refuse what comes"], ["both", "both"]] }, { name: "for", label: "For how long", help: "Like 15m or 2h; empty: until someone resumes it." }],
    command: (v) => ["POST", at(l.name) + "/pause", { direction: v.direction, ...(v.for ? { for: v.for } : {}) }],
  });
}

async function resume(name, page) {
  try {
    await ask("POST", at(name) + "/resume");
    note(`${name} goes on.`, async () => { await ask("POST", at(name) + "/pause", { body: {} }); page.again(); });
    page.again();
  } catch (e) {
    note("Not resumed: " + e.message);
  }
}

function rebind(l, page) {
  confirm(`Rebind ${l.name}`, `${number(l.state?.window.used ?? 0)} in flight will finish first, up to 10 s; then it connects afresh. With force it ends at once, and what was in flight may be sent twice.`, "Rebind", async (v) => {
    await ask("POST", at(l.name) + "/rebind", { body: v.force ? { force: true } : {} });
    note(`${l.name} connects afresh.`);
    page.again();
  }, { fields: [{ name: "force", label: "At once, without waiting", type: "check" }], command: (v) => ["POST", at(l.name) + "/rebind", v.force ? { force: true } : {}] });
}

// --- one link ---

async function one(page) {
  const name = page.rest[0];
  const read = () => get(at(name), {}, page.signal);
  const first = await read();
  const state = h("div", { class: "page" });
  const tables = h("div", { class: "page" });
  const chart = lines("Over this link, the last hour", [], { unit: "/s" });
  const hour = async () => {
    const { series } = await load("1h", page.signal, { link: name });
    chart.update(["in", "out", "failed"].map((s) => ({ name: s, points: series[s] ?? [] })));
  };
  let latest = first;
  const draw = () => put(state, stateOf(latest.data));
  const l = first.data;
  const settings = Object.entries(l).filter(([k]) => !["state", "name", "kind", "account"].includes(k));
  put(page.root,
    head([plain(l.name), " ", h("span", { class: "tag" }, l.kind)],
      l.state?.status === "paused" ? can("resume") && button("Resume", () => resume(name, page)) : can("pause") && button("Pause", () => pause(latest.data, page)),
      can("rebind") && ["carrier", "esme", "sip"].includes(l.kind) && button("Rebind", () => rebind(latest.data, page)),
      may("send") && h("a", { class: "button", href: "/send?link=" + encodeURIComponent(name) }, "Send through it"),
      h("a", { class: "button", href: "/messages?link=" + encodeURIComponent(name) }, "Its messages"),
      may("admin") && offers("PATCH", "/api/links/{name}") && h("button", { type: "button", class: "button", "data-key": "e", onclick: () => edit(page, first, read) }, "Edit"),
      may("admin") && offers("DELETE", "/api/links/{name}") && button("Delete", () => remove(l, page, first.etag), { tone: "danger" })),
    state, h("div", { class: "charts wide" }, chart), tables,
    panel("Settings", facts([["Kind", (words.kinds[l.kind] ?? [l.kind]).join(": ")], ["Account", l.account], ...settings.map(([k, v]) => [k, h("code", {}, plain(typeof v === "object" ? JSON.stringify(v) : v, 400))])])));
  draw();
  await hour().catch(() => {});
  page.every(10000, () => hour().catch(() => {}));
  await details(tables, l, page);
  page.every(2000, async () => {
    try {
      latest = await read();
      draw();
    } catch (e) {
      if (e.name !== "AbortError") put(state, trouble(e, page.again));
    }
  });
}

function stateOf(l) {
  const s = l.state;
  if (!s) return [h("p", {}, "Its state is not known.")];
  return [
    h("div", { class: "stateline" }, badge(s.status), !s.since?.startsWith("0001") && h("span", {}, "since ", h("b", {}, full(s.since)), " (", age(s.since), ")"), h("span", {}, "sessions ", h("b", {}, number(s.sessions))), s.window.size > 0 && h("span", {}, "window ", h("b", {}, `${s.window.used}/${s.window.size}`)),
      h("span", {}, "waiting ", h("b", {}, number(s.queue.waiting)), s.queue.waiting > 0 && [", oldest ", span(s.queue.oldest_seconds)]), h("span", {}, "in ", h("b", {}, number(s.counters.in)), ", out ", h("b", {}, number(s.counters.out)), ", failed ", h("b", {}, number(s.counters.failed)), ", throttled ", h("b", {}, number(s.counters.throttled)))),
    s.last_error && h("p", { class: s.status === "up" ? "small" : "trouble" }, h("span", {}, h("strong", {}, "Last error: "), plain(s.last_error))),
  ];
}

// details are the tables that only some kinds have, where the server offers
// them.
async function details(el, l, page) {
  const part = async (path, title, columnsOf) => {
    if (!offers("GET", "/api/links/{name}/" + path)) return;
    try {
      const { data } = await get(at(l.name) + "/" + path, {}, page.signal);
      el.append(panel(title, data.length ? table(columnsOf, data, { label: title }) : h("p", { class: "small" }, "None now.")));
    } catch (e) {
      if (e.name !== "AbortError" && e.status !== 404 && e.status !== 409) el.append(panel(title, trouble(e)));
    }
  };
  const drop = (path, key, what) => may("admin") && offers("DELETE", `/api/links/{name}/${path}/{${path === "sessions" ? "id" : "aor"}}`) && {
    label: "acts", cell: (r) => h("button", { type: "button", class: "button tiny", onclick: () => confirm(what, `${what} ${r[key]}: what is in flight on it may be tried again.`, what, async () => { await ask("DELETE", `${at(l.name)}/${path}/${encodeURIComponent(r[key])}`); note("Done."); page.again(); }) }, what),
  };
  if (["carrier", "esme", "sip"].includes(l.kind)) {
    await part("sessions", "Connections", [{ label: "id", cell: (r) => h("code", {}, plain(r.id)) }, { label: "peer", cell: (r) => plain(r.peer ?? r.address ?? "-") }, { label: "bind", cell: (r) => plain(r.bind ?? r.transport ?? "-") }, { label: "since", cell: (r) => age(r.since) },
      { label: "window", cell: (r) => (r.window ? `${r.window.used}/${r.window.size}` : "-") }, { label: "last PDU", cell: (r) => age(r.last_at ?? r.last_pdu_at) }, drop("sessions", "id", "Disconnect")]);
  }
  if (["sip-users", "ims"].includes(l.kind)) {
    await part("registrations", "Registrations", [{ label: "address", cell: (r) => plain(r.aor) }, { label: "contact", wide: true, cell: (r) => plain(r.contact) }, { label: "expires", cell: (r) => full(r.expires) }, { label: "agent", cell: (r) => plain(r.user_agent ?? "-", 40) }, drop("registrations", "aor", "Drop")]);
  }
}

function remove(l, page, etag) {
  confirm(`Delete ${l.name}`, "The link is gone for good. Messages for it wait as for an undeclared queue until they expire. One that a route or a number names is refused.", "Delete", async () => {
    await ask("DELETE", at(l.name), { etag });
    note(`${l.name} is deleted.`);
    page.go("/links");
  }, { typed: l.name, command: () => ["DELETE", at(l.name)] });
}

// edit changes the settings as JSON: every kind has its own keys, and the
// server names each fault.
function edit(page, first, read) {
  const { state, ...settings } = first.data;
  dialog("Edit " + first.data.name, (close) => form([{ name: "settings", label: "Settings", type: "area", rows: 16, trim: false, value: JSON.stringify(settings, null, 2), help: "Secrets read *** and stay as they are unless you write another." }], {
    intro: "Connections begin anew where a setting they depend on changes.", close, submit: "Save",
    command: (v) => ["PUT", at(first.data.name), parse(v.settings)],
    send: async (v) => {
      await save("PUT", at(first.data.name), parse(v.settings), first.etag, read);
      note("Saved.");
      page.again();
    },
  }));
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch (e) {
    throw Object.assign(new Error("This is not JSON."), { errors: [{ location: "body.settings", message: e.message }] });
  }
}

// TEMPLATES are the keys that a new link of a kind needs.
const TEMPLATES = {
  carrier: [{ name: "address", label: "Address", help: "host:port", required: true }, { name: "system_id", label: "System id", required: true }, { name: "password", label: "Password" }, { name: "bind", label: "Bind", type: "select", options: ["transceiver", "pair"] }, { name: "throughput", label: "Parts a second", type: "number", help: "0: no limit" }, { name: "window", label: "Window", type: "number", value: 100 }],
  esme: [{ name: "system_id", label: "System id", required: true }, { name: "password", label: "Password", help: "At most 8 characters." }, { name: "from", label: "Allowed addresses", type: "list", help: "One a line; empty: any." }, { name: "binds", label: "Sessions at once", type: "number", value: 10 }],
  sip: [{ name: "uri", label: "URI", help: "sip:host:port;transport=udp: where MESSAGE goes", required: true }, { name: "from", label: "Trusted addresses", type: "list", help: "Requests from here are this link's." }, { name: "user", label: "Digest user" }, { name: "password", label: "Digest password" }, { name: "dialect", label: "Dialect", type: "select", options: ["restcomm", "cpim"] }],
  ims: [{ name: "uri", label: "URI", required: true }, { name: "from", label: "Trusted addresses", type: "list" }, { name: "smsc_address", label: "Service centre address", required: true }, { name: "serves", label: "Serves", type: "list", help: "Called numbers, prefix*" }],
  "sip-users": [],
  poll: [],
  webhook: [{ name: "url", label: "URL", required: true }, { name: "secret", label: "Secret", help: "Signs what is posted." }],
};

function create(page, kind) {
  if (!kind) {
    return dialog("New link", (close) => h("ul", { class: "attention" }, Object.entries(words.kinds).filter(([k]) => isOperator() || ["esme", "poll", "webhook"].includes(k)).map(([k, [name, what]]) => h("li", {}, button(name, () => { close(); create(page, k); }), " ", h("span", { class: "small" }, what)))));
  }
  const body = (v) => Object.fromEntries(Object.entries({ ...v, kind, account: session.account || session.me.account }).filter(([, x]) => x !== "" && x !== null && !(Array.isArray(x) && !x.length)));
  dialog("New " + words.kinds[kind][0], (close) => form([{ name: "name", label: "Name", required: true, help: "What routes call it; it cannot be changed later." }, ...TEMPLATES[kind]], {
    intro: words.kinds[kind][1], submit: "Create", close, command: (v) => ["POST", "/api/links", body(v)],
    send: async (v) => {
      await ask("POST", "/api/links", { body: body(v) });
      note(`${v.name} is declared.`);
      page.go("/links/" + encodeURIComponent(v.name));
    },
  }));
}
