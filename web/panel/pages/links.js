// Links: every named way in or out, and how it fares.
import { h, put, plain } from "../dom.js";
import { curl, get, may, offers, session } from "../api.js";
import { badge, button, copier, empty, head, table, trouble } from "../ui.js";
import { meter } from "../chart.js";
import { age, number, span } from "../format.js";
import * as words from "../words.js";
import { quick } from "../linkacts.js";
import { create } from "../linkforms.js";
import link from "./link.js";

const SLOW = 5000; // ms that a window may be full before its link is marked

export default async function links(page) {
  if (page.rest.length) return link(page);
  let sort = { by: Number(page.query.get("sort") ?? 0), down: page.query.get("down") === "1" };
  const list = h("div", {});
  const full = new Map(); // since when the window of a link is full
  const errors = new Map(); // the last error of a link, and when we first saw it
  let shown = [];
  const draw = () => {
    if (list.contains(document.activeElement) && document.activeElement.matches("button:not(.sort)")) return; // rows stay under a hand
    const held = list.contains(document.activeElement) && document.activeElement.closest("tr")?.dataset.key;
    if (!shown.length) return put(list, none(page));
    put(list, table(columns(page, full, errors), shown, { label: "Links", rowKey: (l) => l.name, sort, onSort: (s) => { sort = s; page.remember({ sort: s.by, down: s.down ? "1" : "" }); draw(); }, open: (l) => page.go("/links/" + encodeURIComponent(l.name)) }));
    if (held) list.querySelector(`tr[data-key="${CSS.escape(held)}"] a`)?.focus();
  };
  const load = async () => {
    const { data } = await get("/api/links", {}, page.signal);
    shown = data.filter((l) => !session.account || (l.account ?? "operator") === session.account);
    for (const l of shown) notice(l, full, errors);
    draw();
  };
  put(page.root, head("Links", mayCreate() && h("button", { type: "button", class: "button primary", "data-key": "n", onclick: () => create(page) }, "New link"), copier(() => curl("GET", "/api/links"), "Copy as curl"), copier(() => "smsc links", "Copy as smsc")), list);
  await load();
  page.every(2000, () => load().catch((e) => e.name === "AbortError" || put(list, trouble(e, page.again))));
}

const mayCreate = () => may("admin") && offers("POST", "/api/links");

function none(page) {
  const kinds = Object.entries(words.kinds);
  return empty("No links.", "A link is a named way in or out. Start from a template:", mayCreate() ? h("p", { class: "acts" }, kinds.map(([k, [name]]) => button(name, () => create(page, k)))) : null);
}

function notice(l, full, errors) {
  const w = l.state?.window;
  if (w?.size && w.used >= w.size) full.set(l.name, full.get(l.name) ?? Date.now());
  else full.delete(l.name);
  const text = l.state?.last_error;
  if (text && errors.get(l.name)?.text !== text) errors.set(l.name, { text, at: Date.now() });
}

function columns(page, full, errors) {
  const s = (l) => l.state ?? { window: {}, counters: {}, queue: {}, rate: {} };
  const slow = (l) => full.has(l.name) && Date.now() - full.get(l.name) > SLOW;
  return [
    { label: "name", sort: (l) => l.name, cell: (l) => [h("a", { href: "/links/" + encodeURIComponent(l.name) }, l.name), h("div", { class: "small" }, plain(l.account ?? "operator"))] },
    { label: "kind", sort: (l) => l.kind, cell: (l) => l.kind },
    { label: "state", sort: (l) => s(l).status, cell: (l) => [badge(s(l).status ?? "idle"), slow(l) ? badge("slow") : null] },
    { label: "sessions", num: true, help: "Connections or registrations now (smsc_link_sessions)", sort: (l) => s(l).sessions, cell: (l) => number(s(l).sessions) },
    { label: "window", help: "Requests in flight, of those allowed at once (smsc_link_window_used, smsc_link_window_size)", sort: (l) => s(l).window.used, cell: (l) => (s(l).window.size && l.kind !== "poll" ? [meter(s(l).window.used, s(l).window.size), `${number(s(l).window.used)}/${number(s(l).window.size)}`] : "-") },
    { label: "in/s", num: true, help: "Messages that came over it, a second, over the last seconds", sort: (l) => s(l).rate?.in, cell: (l) => number(s(l).rate?.in) },
    { label: "out/s", num: true, help: "Messages that left over it, a second, over the last seconds", sort: (l) => s(l).rate?.out, cell: (l) => number(s(l).rate?.out) },
    { label: "waiting", num: true, help: "Messages for it without an end, now (smsc_link_waiting)", sort: (l) => s(l).queue.waiting, cell: (l) => number(s(l).queue.waiting) },
    { label: "oldest", num: true, help: "How long ago the oldest of them became due (smsc_link_oldest_seconds)", sort: (l) => s(l).queue.oldest_seconds, cell: (l) => (s(l).queue.waiting ? span(s(l).queue.oldest_seconds) : "-") },
    { label: "throttled", num: true, minor: true, help: "Times a limit held it back since the program started (smsc_throttled_total)", sort: (l) => s(l).counters.throttled, cell: (l) => number(s(l).counters.throttled) },
    { label: "last error", wide: true, sort: (l) => s(l).last_error, cell: (l) => fault(s(l), errors.get(l.name)) },
    may("admin") && { label: "acts", cell: (l) => quick(l, page) },
  ];
}

// fault is the last error; its age is that of the state, or how long this page
// has seen it.
function fault(s, seen) {
  if (!s.last_error) return "-";
  const since = s.status !== "up" && s.since && !s.since.startsWith("0001") ? s.since : seen?.at;
  return h("span", { class: "small", title: s.last_error }, plain(s.last_error, 60), since ? [", ", age(since)] : null);
}
