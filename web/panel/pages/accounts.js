// Accounts: the tree of tenants, and what each may do.
import { h, put, plain } from "../dom.js";
import { ask, get, may, offers, session } from "../api.js";
import { badge, button, confirm, copier, dialog, facts, form, head, note, panel, save, table, trouble } from "../ui.js";
import { meter } from "../chart.js";
import { number } from "../format.js";

const at = (name) => "/api/accounts/" + encodeURIComponent(name);
const writable = () => may("admin") && offers("POST", "/api/accounts");

export default async function accounts(page) {
  if (page.rest.length) return one(page);
  const { data } = await get("/api/accounts", {}, page.signal);
  put(page.root, head("Accounts", writable() && h("button", { type: "button", class: "button primary", "data-key": "n", onclick: () => create(page, session.me.account) }, "New account")),
    table([
      { label: "account", cell: ([a, depth]) => { const el = h("a", { href: "/accounts/" + encodeURIComponent(a.name), class: "tree" }, plain(a.name)); const box = h("span", { class: "tree" }, el); box.style.setProperty("--depth", depth); return box; } },
      { label: "status", cell: ([a]) => badge(a.status) },
      { label: "sid", cell: ([a]) => h("code", {}, a.sid) },
      { label: "keys", num: true, cell: ([a]) => number(a.keys.length) },
      { label: "senders", wide: true, cell: ([a]) => (a.senders.length ? plain(a.senders.join(", "), 80) : "any") },
      { label: "limits", wide: true, cell: ([a]) => limits(a.limits) },
    ], tree(data), { label: "Accounts, each below its parent", rowKey: ([a]) => a.name, open: ([a]) => page.go("/accounts/" + encodeURIComponent(a.name)) }),
    data.length === 1 && data[0].name === "operator" ? h("p", { class: "small" }, "Only operator so far.") : null);
}

const WORDS = { per_second: "/s", per_minute: "/min", per_hour: "/h", per_day: "/day", backlog: "waiting" };

function limits(l) {
  const set = Object.entries(l ?? {}).filter(([, v]) => v);
  return set.length ? set.map(([k, v]) => `${number(v)} ${WORDS[k] ?? k}`).join(", ") : "none";
}

// tree puts each account behind its parent, with its depth.
function tree(all) {
  const names = new Set(all.map((a) => a.name));
  const out = [];
  const walk = (list, depth) => list.forEach((a) => { out.push([a, depth]); walk(all.filter((b) => b.parent === a.name && b !== a), depth + 1); });
  walk(all.filter((a) => !names.has(a.parent) || a.parent === a.name), 0);
  return out;
}

async function one(page) {
  const name = page.rest[0];
  const read = () => get(at(name), {}, page.signal);
  const [first, usage] = await Promise.all([read(), offers("GET", "/api/accounts/{account}/usage") ? get(at(name) + "/usage", {}, page.signal).catch(() => null) : null]);
  const a = first.data;
  const root = a.name === "operator";
  const set = async (status) => {
    const old = a.status;
    await save("PATCH", at(name), { status }, first.etag, read);
    note(`${name} is ${status}.`, async () => { await ask("PATCH", at(name), { body: { status: old } }); page.again(); });
    page.again();
  };
  put(page.root, head([plain(a.name), " ", badge(a.status)],
    writable() && button("New account below", () => create(page, a.name)),
    writable() && !root && h("button", { type: "button", class: "button", "data-key": "e", onclick: () => edit(page, first, read) }, "Edit"),
    writable() && !root && (a.status === "active" ? button("Suspend", () => confirm(`Suspend ${name}`, "It and everything below it can neither send nor read until it is active again. What waits goes on.", "Suspend", () => set("suspended"))) : a.status === "suspended" && button("Make active", () => set("active").catch((e) => note("Not changed: " + e.message)))),
    writable() && !root && a.status !== "closed" && button("Close", () => confirm(`Close ${name}`, "For good: its keys stop working, and so does everything below it. Its messages stay readable to those above.", "Close the account", async () => { await ask("DELETE", at(name)); note(`${name} is closed.`); page.again(); }, { typed: name, command: () => ["DELETE", at(name)] }), { tone: "danger" })),
  h("div", { class: "two" },
    panel("Account", facts([["Parent", a.parent && a.parent !== "(parent)" ? h("a", { href: "/accounts/" + encodeURIComponent(a.parent) }, plain(a.parent)) : a.parent], ["SID", h("code", {}, a.sid)], ["Senders", a.senders.length ? plain(a.senders.join(", ")) : "any"], ["Limits", limits(a.limits)], ["Charged", a.charged],
      ["Below it", a.sub_accounts.length ? a.sub_accounts.map((s) => [h("a", { href: "/accounts/" + encodeURIComponent(s) }, plain(s)), " "]) : "none"], ["Token", a.token ? [h("code", {}, a.token), " ", writable() && !root && button("Roll", () => roll(page, name), { tone: "tiny" })] : "none"]])),
    usage && panel("Today", used(usage.data, a))),
  panel("Keys", keys(page, a)));
}

function used(u, a) {
  const t = u.today ?? {};
  return [facts([["Accepted", number(t.accepted)], ["Parts", number(t.parts)], ["Delivered", number(t.delivered)], ["Failed", number(t.failed)], ["Backlog", [a.limits?.backlog ? meter(u.backlog, a.limits.backlog) : null, number(u.backlog), a.limits?.backlog ? " of " + number(a.limits.backlog) : ""]], ["Balance", u.balance]]),
    t.truncated && h("p", { class: "small" }, "Only the newest messages were counted.")];
}

function keys(page, a) {
  const make = writable() && offers("POST", "/api/accounts/{account}/keys") && button("Make a key", () => dialog("New key for " + a.name, (close) => form([{ name: "name", label: "Name", required: true }, { name: "role", label: "Role", type: "select", options: [["send", "send: read and send"], ["read", "read only"], ["admin", "admin: everything of the account"]] }], {
    close: () => {}, submit: "Make", command: (v) => ["POST", at(a.name) + "/keys", v],
    send: async (v) => { const { data } = await ask("POST", at(a.name) + "/keys", { body: v }); close(); once("The new key", data.key, page); },
  })));
  return [a.keys.length ? table([{ label: "name", cell: (k) => plain(k.name) }, { label: "role", cell: (k) => k.role }, { label: "key", cell: (k) => h("code", {}, k.key) },
    make && { label: "acts", cell: (k) => h("button", { type: "button", class: "button tiny danger", "aria-label": "Take away key " + k.name, onclick: () => confirm(`Take away key ${k.name}`, "Whoever uses it is refused at once.", "Take away", async () => { await ask("DELETE", `${at(a.name)}/keys/${encodeURIComponent(k.name)}`); note("Gone."); page.again(); }) }, "Take away") }], a.keys, { label: "Keys" }) : h("p", { class: "small" }, "No further keys."),
  make && h("div", { class: "form-acts" }, make)];
}

// once shows a secret for the only time it can be seen.
function once(title, secret, page) {
  dialog(title, () => {
    const el = h("div", { class: "page" }, h("p", {}, "Copy it now: it is not shown again."), h("pre", { class: "mono", id: "secret", tabindex: "0" }, secret), h("div", { class: "form-acts" }, copier(() => secret, "Copy")));
    queueMicrotask(() => el.closest("dialog").addEventListener("close", () => page.again()));
    return el;
  });
}

function roll(page, name) {
  confirm(`Roll the token of ${name}`, "The old token stops working at once.", "Make a new token", async () => {
    const { data } = await ask("PATCH", at(name), { body: { token: "" } });
    setTimeout(() => once("The new token", data.token, page));
  });
}

const form_fields = (a) => [
  { name: "senders", label: "Senders", type: "list", value: a.senders, help: "Allowed source addresses, exact or prefix*, one a line; empty: any." },
  ...Object.keys(WORDS).map((k) => ({ name: k, label: k === "backlog" ? "Limit of waiting messages" : "Parts " + k.replace("_", " "), type: "number", value: a.limits?.[k] || "", blank: 0, help: k === "per_second" ? "Empty: no limit." : undefined })),
];

const body = (v) => { const { senders, name, ...limits } = v; return { ...(name ? { name } : {}), senders, limits: Object.fromEntries(Object.entries(limits).map(([k, n]) => [k, n ?? 0])) }; };

function create(page, parent) {
  dialog("New account below " + parent, (close) => form([{ name: "name", label: "Name", required: true, help: "Letters, digits and . _ @ -" }, ...form_fields({})], {
    close: () => {}, submit: "Create", command: (v) => ["POST", "/api/accounts", { ...body(v), parent }],
    send: async (v) => { const { data } = await ask("POST", "/api/accounts", { body: { ...body(v), parent } }); close(); history.pushState(null, "", "/accounts/" + encodeURIComponent(data.name)); once("The token of " + data.name, data.token, page); },
  }));
}

function edit(page, first, read) {
  const a = first.data;
  dialog("Edit " + a.name, (close) => form(form_fields(a), {
    close, submit: "Save", command: (v) => ["PATCH", at(a.name), body(v)],
    send: async (v) => { await save("PATCH", at(a.name), body(v), first.etag, read); note("Saved."); page.again(); },
  }));
}
