// Records: what finished messages came to, row by row or summed up.
import { h, put, plain } from "../dom.js";
import { curl, get, headers, query, session } from "../api.js";
import { badge, button, copier, empty, head, note, table } from "../ui.js";
import { number, when } from "../format.js";
import * as words from "../words.js";

const NAMES = ["last", "since", "until", "link", "status", "cause", "from", "to", "type"];
const SPANS = [["1h", "last hour", 3600], ["24h", "last 24 h", 86400], ["7d", "last 7 days", 604800], ["all", "all that are kept", 0]];
const GROUPS = [["", "nothing: row by row"], ["status", "status"], ["link", "link"], ["account", "account"], ["cause", "cause"], ["link,status", "link and status"], ["account,status", "account and status"], ["status,cause", "status and cause"]];
const ENDS = ["", "delivered", "failed", "expired", "cancelled", "dropped"];

export default async function cdrs(page) {
  const given = Object.fromEntries(NAMES.map((n) => [n, page.query.get(n) ?? ""]));
  const group = page.query.get("group") ?? "";
  const after = page.query.get("after") ?? "";
  const { last, ...params } = given;
  const seconds = (SPANS.find(([v]) => v === (last || "24h")) ?? SPANS[1])[2];
  if (!params.since && seconds) params.since = new Date(Date.now() - seconds * 1000).toISOString();
  params.account = session.account;
  const { data, headers: head2 } = await get("/api/cdrs", { ...params, group, after }, page.signal);
  const next = /[?&]after=([^&>]+)/.exec(head2.get("Link") ?? "")?.[1];
  const more = (to) => "/cdrs" + query({ ...Object.fromEntries(page.query), after: to });
  put(page.root, head("Records", button("CSV", () => file(params, "text/csv", "records.csv")), button("NDJSON", () => file(params, "application/x-ndjson", "records.ndjson")), copier(() => curl("GET", "/api/cdrs" + query({ ...params, group })), "Copy as curl")),
    filters(page, given, group), data.length ? (group ? sums(data, group.split(",")) : rows(data)) : empty("No record matches.", "A record is written when a message ends.", h("a", { class: "button", href: "/cdrs?last=all" }, "Show all that are kept")),
    !group && h("div", { class: "pager" }, h("span", {}, `${number(data.length)} shown`), h("span", {}, after && h("a", { class: "button", "data-key": "[", href: more("") }, "Newest"), " ", next && h("a", { class: "button", "data-key": "]", href: more(next) }, "Older"))));
}

function filters(page, given, group) {
  const text = (label, name) => h("label", {}, label, h("input", { name, value: given[name], autocomplete: "off", spellcheck: "false" }));
  const choice = (label, name, options, value) => {
    const el = h("select", { name, onchange: (e) => e.target.form.requestSubmit() }, options.map((o) => h("option", { value: Array.isArray(o) ? o[0] : o }, (Array.isArray(o) ? o[1] : o.replaceAll("_", " ")) || "any")));
    if (value && ![...el.options].some((o) => o.value === value)) el.append(h("option", { value }, value));
    el.value = value;
    return h("label", {}, label, el);
  };
  return h("form", { class: "filters", "aria-label": "Filters", onsubmit: (e) => { e.preventDefault(); page.go("/cdrs" + query(Object.fromEntries(new FormData(e.target)))); } },
    choice("Time", "last", SPANS, given.last || "24h"), text("From", "from"), text("To", "to"), choice("Status", "status", ENDS, given.status), text("Link", "link"), choice("Cause", "cause", ["", ...words.causes], given.cause),
    choice("Sum by", "group", GROUPS, group), choice("Records", "type", [["", "of ends"], ["attempt", "of attempts"], ["reject", "of refusals"], ["all", "all"]], given.type), h("button", { class: "button", type: "submit" }, "Filter"));
}

const costs = (r) => (Number(r.cost) > 0 ? `${r.cost} ${r.cost_unit ?? ""}` : "-");

function rows(data) {
  const several = (k) => new Set(data.map((r) => r[k])).size > 1;
  return table([
    { label: "ended", cell: (r) => when(r.at) },
    { label: "message", cell: (r) => (r.id ? h("a", { href: "/messages/" + r.id }, String(r.id)) : "-") },
    several("type") && { label: "record", cell: (r) => plain(r.type) },
    several("account") && { label: "account", cell: (r) => plain(r.account ?? "-") },
    { label: "from", cell: (r) => plain(r.from ?? "-", 24) }, { label: "to", cell: (r) => plain(r.to ?? "-", 28) },
    { label: "link", cell: (r) => plain(r.link ?? "-") },
    { label: "status", cell: (r) => badge(r.status) },
    data.some((r) => r.cause) && { label: "cause", wide: true, cell: (r) => plain([r.cause?.replaceAll("_", " "), r.reason].filter(Boolean).join(": ") || "-", 80) },
    { label: "parts", num: true, minor: true, cell: (r) => number(r.parts) }, { label: "attempts", num: true, minor: true, cell: (r) => number(r.attempts) },
    { label: "took", num: true, help: "From the answer to its sender until its end", cell: (r) => (r.ms === undefined || r.ms === null ? "-" : number(r.ms) + " ms") },
    data.some((r) => Number(r.cost) > 0) && { label: "cost", num: true, cell: costs },
  ], data, { label: "Records" });
}

function sums(data, keys) {
  const total = (k) => data.reduce((n, r) => n + (Number(r[k]) || 0), 0);
  return [table([
    ...keys.map((k) => ({ label: k, cell: (r) => (k === "status" && r[k] ? badge(r[k]) : k === "link" && r[k] ? h("a", { href: "/links/" + encodeURIComponent(r[k]) }, plain(r[k])) : plain(r[k] || "none")) })),
    ...["messages", "parts", "delivered", "attempts"].map((k) => ({ label: k, num: true, cell: (r) => number(r[k]) })),
    { label: "cost", num: true, cell: (r) => (Number(r.cost) > 0 ? r.cost : "-") },
  ], data, { label: "Records summed up" }), h("p", { class: "small" }, `${number(total("messages"))} messages, ${number(total("parts"))} parts in all.`)];
}

async function file(params, type, name) {
  try {
    const reply = await fetch("/api/cdrs" + query({ ...params, account: session.account }), { headers: { ...headers(), Accept: type }, credentials: "omit" });
    if (!reply.ok) throw new Error("the server answered " + reply.status);
    const a = h("a", { href: URL.createObjectURL(await reply.blob()), download: name });
    a.click();
    setTimeout(() => URL.revokeObjectURL(a.href), 10000);
  } catch (e) { note("Not saved: " + e.message); }
}
