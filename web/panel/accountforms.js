// What can be done to an account: made, changed, held back, closed; its keys,
// its token, its balance.
import { h, plain } from "./dom.js";
import { ask, get, isOperator, may, offers } from "./api.js";
import { button, confirm, copier, dialog, form, note, panel, save, table } from "./ui.js";
import { full } from "./format.js";

export const at = (name) => "/api/accounts/" + encodeURIComponent(name);
export const writable = () => may("admin") && offers("POST", "/api/accounts");
export const WORDS = { per_second: "/s", per_minute: "/min", per_hour: "/h", per_day: "/day", backlog: "waiting" };

const fields = (a) => [
  { name: "senders", label: "Senders", type: "list", value: a.senders, help: "Allowed source addresses, exact or prefix*, one a line; empty: any." },
  ...Object.keys(WORDS).map((k) => ({ name: k, label: k === "backlog" ? "Limit of waiting messages" : "Parts " + k.replace("_", " "), type: "number", value: a.limits?.[k] || "", blank: 0, help: k === "per_second" ? "Empty: no limit." : undefined })),
];

const body = (v) => { const { senders, name, ...limits } = v; return { ...(name ? { name } : {}), senders, limits: Object.fromEntries(Object.entries(limits).map(([k, n]) => [k, n ?? 0])) }; };

export function create(page, parent) {
  dialog("New account below " + parent, (close) => form([{ name: "name", label: "Name", required: true, help: "Letters, digits and . _ @ -" }, ...fields({})], {
    close: () => {}, submit: "Create", command: (v) => ["POST", "/api/accounts", { ...body(v), parent }],
    send: async (v) => { const { data } = await ask("POST", "/api/accounts", { body: { ...body(v), parent } }); close(); history.pushState(null, "", "/accounts/" + encodeURIComponent(data.name)); once("The token of " + data.name, data.token, page); },
  }));
}

export function edit(page, first, read) {
  const a = first.data;
  dialog("Edit " + a.name, (close) => form(fields(a), {
    close, submit: "Save", command: (v) => ["PATCH", at(a.name), body(v)],
    send: async (v) => { await save("PATCH", at(a.name), body(v), first.etag, read); note("Saved."); page.again(); },
  }));
}

// setStatus suspends, or makes active again.
export async function setStatus(page, first, read, status) {
  const { name, status: old } = first.data;
  await save("PATCH", at(name), { status }, first.etag, read);
  note(`${name} is ${status}.`, async () => { await ask("PATCH", at(name), { body: { status: old } }); page.again(); });
  page.again();
}

export function suspend(page, first, read) {
  const { name } = first.data;
  confirm(`Suspend ${name}`, "It and everything below it can neither send nor read until it is active again. What waits is held back.", "Suspend", () => setStatus(page, first, read, "suspended"), { command: () => ["PATCH", at(name), { status: "suspended" }] });
}

export function closeAccount(page, { name }) {
  confirm(`Close ${name}`, "For good: its keys stop working, and so does everything below it. Its messages stay readable to those above.", "Close the account", async () => { await ask("DELETE", at(name)); note(`${name} is closed.`); page.again(); }, { typed: name, command: () => ["DELETE", at(name)] });
}

export function keys(page, a) {
  const make = writable() && offers("POST", "/api/accounts/{account}/keys") && button("Make a key", () => dialog("New key for " + a.name, (close) => form([{ name: "name", label: "Name", required: true }, { name: "role", label: "Role", type: "select", options: [["send", "send: read and send"], ["read", "read only"], ["admin", "admin: everything of the account"]] }], {
    close: () => {}, submit: "Make", command: (v) => ["POST", at(a.name) + "/keys", v],
    send: async (v) => { const { data } = await ask("POST", at(a.name) + "/keys", { body: v }); close(); once("The new key", data.key, page); },
  })));
  const path = (k) => `${at(a.name)}/keys/${encodeURIComponent(k.name)}`;
  return [a.keys.length ? table([{ label: "name", cell: (k) => plain(k.name) }, { label: "role", cell: (k) => k.role }, { label: "key", cell: (k) => h("code", {}, k.key) },
    make && { label: "acts", cell: (k) => h("button", { type: "button", class: "button tiny danger", "aria-label": "Take away key " + k.name, onclick: () => confirm(`Take away key ${k.name}`, "Whoever uses it is refused at once.", "Take away", async () => { await ask("DELETE", path(k)); note("Gone."); page.again(); }, { command: () => ["DELETE", path(k)] }) }, "Take away") }], a.keys, { label: "Keys" }) : h("p", { class: "small" }, "No further keys."),
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

export function roll(page, name) {
  confirm(`Roll the token of ${name}`, "The old token stops working at once.", "Make a new token", async () => {
    const { data } = await ask("PATCH", at(name), { body: { token: "" } });
    setTimeout(() => once("The new token", data.token, page));
  }, { command: () => ["PATCH", at(name), { token: "" }] });
}

// balance shows what an account has, what was booked by hand, and books more.
export async function balance(page, a) {
  if (!offers("GET", "/api/accounts/{account}/balance")) return null;
  const path = at(a.name) + "/balance";
  const read = await get(path, {}, page.signal).catch((e) => { if (e.name === "AbortError") throw e; return null; });
  if (!read) return null;
  const b = read.data;
  const book = () => confirm("Book on " + a.name, "A positive amount tops the balance up, a negative one takes from it. It is audited and not undone by itself.", "Book", async (v) => { const { data } = await ask("POST", path, { body: v }); note(`${a.name} has ${data.balance}.`); page.again(); }, {
    fields: [{ name: "amount", label: "Amount", required: true, help: "Decimal, such as 50 or -12.5" }, { name: "note", label: "Note" }], command: (v) => ["POST", path, v], shell: (v) => `smsc balance ${a.name} --add ${v.amount || 0}`,
  });
  return panel("Balance", h("p", { class: "figure" }, b.balance), Number(b.overdraft) > 0 && h("p", { class: "small" }, `may go down to -${b.overdraft}`), b.entries.length ? table([{ label: "when", cell: (e) => full(e.at) }, { label: "amount", num: true, cell: (e) => e.amount }, { label: "after", num: true, cell: (e) => e.balance }, { label: "by", cell: (e) => plain(e.by, 30) }, { label: "note", wide: true, cell: (e) => plain(e.note || "-", 80) }], b.entries.slice(0, 10), { label: "Bookings" }) : h("p", { class: "small" }, "Nothing was booked by hand."),
    isOperator() && offers("POST", "/api/accounts/{account}/balance") && h("div", { class: "form-acts" }, button("Book an amount", book)));
}
