// Accounts: the tree of tenants, what each may do, and how it fares today.
import { h, put, plain } from "../dom.js";
import { curl, get, offers, query, session } from "../api.js";
import { badge, button, copier, facts, head, note, panel, table } from "../ui.js";
import { meter } from "../chart.js";
import { number } from "../format.js";
import { WORDS, at, balance, closeAccount, create, edit, keys, roll, setStatus, suspend, writable } from "../accountforms.js";

const COUNTED = 40; // accounts of one page whose traffic is asked for

export default async function accounts(page) {
  if (page.rest.length) return one(page);
  const { data } = await get("/api/accounts", {}, page.signal);
  const rows = tree(narrowed(data));
  const usage = new Map();
  const box = h("div", {});
  const draw = () => put(box, list(page, rows, usage));
  put(page.root, head("Accounts", writable() && h("button", { type: "button", class: "button primary", "data-key": "n", onclick: () => create(page, session.account || session.me.account) }, "New account"), copier(() => curl("GET", "/api/accounts"), "Copy as curl")),
    box, data.length === 1 && data[0].name === "operator" ? h("p", { class: "small" }, "Only operator so far.") : null);
  draw();
  if (!offers("GET", "/api/accounts/{account}/usage")) return;
  await Promise.all(rows.slice(0, COUNTED).map(([a]) => get(at(a.name) + "/usage", {}, page.signal).then((r) => usage.set(a.name, r.data), () => {})));
  if (!page.signal.aborted && !box.contains(document.activeElement)) draw();
}

// narrowed leaves the account of the box in the header and what is below it.
function narrowed(all) {
  if (!session.account) return all;
  const keep = new Set([session.account]);
  for (let grown = true; grown;) {
    grown = false;
    for (const a of all) if (keep.has(a.parent) && !keep.has(a.name)) { keep.add(a.name); grown = true; }
  }
  return all.filter((a) => keep.has(a.name));
}

function list(page, rows, usage) {
  const today = (key) => ([a]) => number(usage.get(a.name)?.today?.[key]);
  return table([
    { label: "account", cell: ([a, depth]) => { const box = h("span", { class: "tree" }, depth > 0 && h("span", { class: "small", "aria-hidden": "true" }, "└ "), h("a", { href: "/accounts/" + encodeURIComponent(a.name) }, plain(a.name))); box.style.setProperty("--depth", Math.max(0, depth - 1)); return box; } },
    { label: "status", cell: ([a]) => badge(a.status) },
    { label: "accepted", num: true, help: "Messages taken from it today, in UTC", cell: today("accepted") },
    { label: "delivered", num: true, help: "Of those, what the recipients have", cell: today("delivered") },
    { label: "failed", num: true, help: "Of those, what was refused or expired", cell: today("failed") },
    { label: "backlog", help: "Messages without an end now, of those it may have", cell: ([a]) => backlog(usage.get(a.name), a) },
    { label: "balance", num: true, cell: ([a]) => plain(usage.get(a.name)?.balance ?? "-") },
    { label: "keys", num: true, minor: true, cell: ([a]) => number(a.keys.length) },
    { label: "senders", wide: true, minor: true, cell: ([a]) => (a.senders.length ? plain(a.senders.join(", "), 60) : "any") },
    { label: "limits", wide: true, minor: true, cell: ([a]) => limits(a.limits) },
  ], rows, { label: "Accounts, each below its parent", rowKey: ([a]) => a.name, open: ([a]) => page.go("/accounts/" + encodeURIComponent(a.name)) });
}

function backlog(u, a) {
  if (!u) return "-";
  return a.limits?.backlog ? [meter(u.backlog, a.limits.backlog), `${number(u.backlog)}/${number(a.limits.backlog)}`] : number(u.backlog);
}

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
  const maybe = (path, wanted, params) => (wanted ? get(path, params, page.signal).then((r) => r.data, (e) => { if (e.name === "AbortError") throw e; return null; }) : null);
  const first = await read();
  const a = first.data;
  const [usage, links, numbers, funds] = await Promise.all([maybe(at(name) + "/usage", offers("GET", "/api/accounts/{account}/usage")), maybe("/api/links", offers("GET", "/api/links")), maybe("/api/numbers", offers("GET", "/api/numbers"), { account: name }), balance(page, a)]);
  put(page.root, head([plain(a.name), " ", badge(a.status)], acts(page, first, read)),
    h("div", { class: "two" }, panel("Account", about(page, a)), usage && panel("Today", used(usage, a))),
    h("div", { class: "two" }, panel("Keys", keys(page, a)), funds),
    h("div", { class: "two" }, panel("Links", named((links ?? []).filter((l) => (l.account ?? "operator") === name).map((l) => [l.name, "/links/" + encodeURIComponent(l.name), badge(l.state?.status ?? "idle")]), "It has no link of its own.")),
      panel("Numbers", named((numbers ?? []).filter((n) => n.account === name).map((n) => [n.number, "/numbers?q=" + encodeURIComponent(n.number), n.link || n.sms_url || n.application || ""]), "It hosts no number."))));
}

function acts(page, first, read) {
  const a = first.data;
  const may = writable() && a.name !== "operator" && a.name !== session.me.account; // nobody changes himself
  return [
    h("a", { class: "button", href: "/messages" + query({ account: a.name }) }, "Its messages"),
    writable() && button("New account below", () => create(page, a.name)),
    may && h("button", { type: "button", class: "button", "data-key": "e", onclick: () => edit(page, first, read) }, "Edit"),
    may && a.status === "active" && button("Suspend", () => suspend(page, first, read)),
    may && a.status === "suspended" && button("Make active", () => setStatus(page, first, read, "active").catch((e) => note("Not changed: " + e.message))),
    may && a.status !== "closed" && button("Close", () => closeAccount(page, a), { tone: "danger" }),
    copier(() => curl("GET", at(a.name)), "Copy as curl"),
  ];
}

function about(page, a) {
  const link = (n) => h("a", { href: "/accounts/" + encodeURIComponent(n) }, plain(n));
  return facts([["Parent", a.parent && (a.parent === "(parent)" ? a.parent : link(a.parent))], ["SID", h("code", {}, a.sid)], ["Senders", a.senders.length ? plain(a.senders.join(", ")) : "any"], ["Charged", a.charged],
    ["Below it", a.sub_accounts.length ? a.sub_accounts.map((s) => [link(s), " "]) : "none"], ["Token", a.token ? [h("code", {}, a.token), " ", writable() && a.name !== "operator" && button("Roll", () => roll(page, a.name), { tone: "tiny" })] : "none"],
    ...Object.keys(WORDS).filter((k) => k !== "backlog" && a.limits?.[k]).map((k) => ["Parts " + k.replace("_", " "), number(a.limits[k])])]);
}

function used(u, a) {
  const t = u.today ?? {};
  const bar = (n, limit) => (limit ? [meter(n, limit), `${number(n)} of ${number(limit)}`] : number(n));
  return [facts([["Accepted", number(t.accepted)], ["Parts", bar(t.parts, a.limits?.per_day)], ["Delivered", number(t.delivered)], ["Failed", number(t.failed)], ["Backlog", bar(u.backlog, a.limits?.backlog)]]),
    t.truncated && h("p", { class: "small" }, "Only the newest messages were counted.")];
}

function named(list, none) {
  if (!list.length) return h("p", { class: "small" }, none);
  return h("ul", { class: "names" }, list.slice(0, 30).map(([name, href, more]) => h("li", {}, h("a", { href }, plain(name)), " ", more instanceof Node ? more : h("span", { class: "small" }, plain(more, 60)))), list.length > 30 && h("li", { class: "small" }, `and ${number(list.length - 30)} more`));
}
