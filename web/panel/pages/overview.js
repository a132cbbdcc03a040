// Overview: is the house healthy, and which link hurts?
import { h, put } from "../dom.js";
import { get, isOperator, may, offers, query, session } from "../api.js";
import { badge, button, empty, head, panel, table, trouble } from "../ui.js";
import { bars, lines, meter, spark } from "../chart.js";
import { age, clock, number, share, span } from "../format.js";
import { onEvent, live } from "../live.js";
import * as metrics from "../metrics.js";

// What this tab has seen, one sample every two seconds, an hour of them. The
// operator's come from the counters of the house, everybody else's from the
// events of their reach.
const STEP = 2000;
const samples = [];
const tally = { accepted: 0, delivered: 0, failed: 0, receipts: 0, lost: 0, heard: 0 };
const failures = new Map();
let began = 0;
let before = null;

const COUNTED = { "message.accepted": "accepted", "message.delivered": "delivered", "message.failed": "failed", "message.expired": "failed", "message.receipt": "receipts" };

function begin() {
  if (began) return;
  began = Date.now();
  onEvent((kind, data) => {
    if (kind === "lost") tally.lost += data.count ?? 1;
    if (kind.startsWith("message.")) tally.heard++;
    if (COUNTED[kind]) tally[COUNTED[kind]]++;
    if (kind === "message.failed" || kind === "message.expired") failures.set(data.link || "no link", (failures.get(data.link || "no link") ?? 0) + 1);
  });
}

// look asks for the links and the counters, and keeps a sample of them.
async function look(signal) {
  const [links, counters] = await Promise.all([get("/api/links", {}, signal), isOperator() ? metrics.read(signal).catch(() => null) : null]);
  sample(links.data, counters);
  return links.data;
}

// sample turns counters into rates. What cannot be known is null: a gap, not
// a zero.
function sample(links, counters) {
  const states = links.map((l) => l.state).filter(Boolean);
  const now = { at: Date.now(), in: 0, out: 0, ...tally, counters };
  for (const s of states) { now.in += s.counters.in; now.out += s.counters.out; }
  const total = (name, match) => metrics.sum(counters, name, match) ?? 0;
  if (counters) {
    now.accepted = total("smsc_messages_accepted_total");
    now.delivered = total("smsc_messages_delivered_total");
    now.failed = total("smsc_messages_failed_total") + total("smsc_messages_expired_total");
    now.receipts = total("smsc_receipts_total", (l) => l.direction === "out");
  }
  const secs = before ? (now.at - before.at) / 1000 : 0;
  const same = before && Boolean(before.counters) === Boolean(counters) && secs < 15;
  const rate = (k) => (same && now[k] >= before[k] ? (now[k] - before[k]) / secs : null);
  const sure = counters || (live.state === "live" && tally.heard > 0 && now.lost === before?.lost);
  const counted = (k) => (sure ? rate(k) : null);
  const ms = (q, name) => { const v = counters && same ? metrics.quantile(q, counters, before.counters, name) : null; return v === null ? null : v * 1000; };
  samples.push({
    at: now.at, in: rate("in"), out: rate("out"), accepted: counted("accepted"), delivered: counted("delivered"), receipts: counted("receipts"),
    failed: sure ? now.failed : null, ended: sure ? now.failed + now.delivered : null,
    waiting: states.length ? states.reduce((n, s) => n + s.queue.waiting, 0) : null, oldest: Math.max(0, ...states.map((s) => s.queue.oldest_seconds)),
    p50: ms(0.5, "smsc_accept_seconds"), p99: ms(0.99, "smsc_accept_seconds"), sync: ms(0.99, "smsc_store_sync_seconds"),
    causes: counters ? [...metrics.by(counters, "smsc_messages_failed_total", "cause")] : null, source: counters ? "metrics" : "events",
  });
  if (samples.length > 1800) samples.shift();
  before = now;
}

const RANGES = [["5m", 300], ["1h", 3600]];

export default async function overview(page) {
  begin();
  const range = RANGES.find((r) => r[0] === page.query.get("range")) ?? RANGES[0];
  const first = await look(page.signal);
  const box = {
    state: h("div", { class: "stateline" }), tiles: h("div", { class: "tiles" }), attention: h("ul", { class: "attention" }), links: h("div", {}), failures: h("div", {}),
  };
  const traffic = lines("Traffic over links", [], { unit: "/s", pick: (at) => minute(page, at) });
  const ends = lines("Accepted and delivered", [], { unit: "/s", pick: (at) => minute(page, at) });
  const waits = isOperator() ? lines("Acknowledged within, disk sync", [], { unit: " ms" }) : lines("Waiting", [], {});
  const ranges = h("span", { class: "group", role: "group", "aria-label": "Range" }, RANGES.map((r) => button(r[0] === "5m" ? "5 min" : "1 h", () => page.go("/" + query({ range: r[0] })))));
  ranges.childNodes.forEach((b, i) => b.setAttribute("aria-pressed", String(RANGES[i] === range)));
  put(page.root, head("Overview", ranges), box.state, box.tiles,
    h("div", { class: "charts" }, traffic, ends, waits),
    h("div", { class: "split" }, panel("Links", box.links), h("div", { class: "page first" }, panel("Attention", box.attention), panel(isOperator() ? "Failures by cause" : "Failed over, in this tab", box.failures))));

  const draw = (links) => {
    const from = Date.now() - range[1] * 1000;
    const shown = samples.filter((s) => s.at >= from);
    const line = (name, k) => ({ name, points: shown.map((s) => [s.at, s[k]]) });
    traffic.update([line("in", "in"), line("out", "out")]);
    ends.update([line("accepted", "accepted"), line("delivered", "delivered")]);
    waits.update(isOperator() ? [line("p50", "p50"), line("p99", "p99"), line("sync p99", "sync")] : [line("waiting", "waiting")]);
    tiles(box.tiles, shown);
    glance(box.links, links);
    attention(box.attention, links, shown.at(-1));
    put(box.failures, broken(shown.at(-1)));
  };
  await standing(box.state, page);
  draw(first);
  let busy = false;
  page.every(STEP, async () => {
    if (busy) return;
    busy = true;
    try {
      draw(await look(page.signal));
    } catch (e) {
      if (e.name !== "AbortError") put(box.links, trouble(e));
    } finally {
      busy = false;
    }
  });
  page.every(10000, () => standing(box.state, page).catch(() => {}));
}

// broken lists why messages failed, or over which link.
function broken(now) {
  const none = h("p", { class: "small" }, "None.");
  if (now?.causes) {
    const rows = now.causes.filter(([, n]) => n > 0).sort((a, b) => b[1] - a[1]).slice(0, 6);
    return rows.length ? bars(rows.map(([c, n]) => [c, n, "/messages" + query({ status: "failed", cause: c })])) : none;
  }
  const rows = [...failures].sort((a, b) => b[1] - a[1]).slice(0, 6);
  return rows.length ? bars(rows.map(([n, c]) => [n, c, "/messages" + query({ status: "failed,expired", link: n === "no link" ? "" : n })])) : none;
}

function minute(page, at) {
  const start = new Date(Math.floor(at / 60000) * 60000);
  page.go("/messages" + query({ since: start.toISOString(), until: new Date(+start + 60000).toISOString() }));
}

async function standing(el, page) {
  const { data } = await get("/api/status", { view: "full" }, page.signal).catch((e) => {
    if (e.status === 503) return { data: e.body };
    throw e;
  });
  const s = session.me.server ?? {};
  put(el, badge(data.status === "ok" ? "ready" : data.status ?? "not ready"),
    h("span", {}, h("b", {}, s.data === "memory" ? "memory" : "stored"), s.data === "memory" ? ": nothing is promised over a restart" : ": acknowledged only after the disk has it"),
    h("span", {}, "version ", h("b", {}, data.version ?? s.version ?? "-")), h("span", {}, "up ", h("b", {}, span(data.uptime_seconds))),
    data.links && h("span", {}, "links ", h("b", {}, `${number(data.links.up)} up, ${number(data.links.down)} down, ${number(data.links.paused)} paused`)));
}

function tiles(el, shown) {
  const now = shown.at(-1) ?? {};
  const from = now.source === "metrics";
  const how = (name) => (from ? `${name} of /metrics, over the last two seconds` : `counted from the event stream since ${clock(began)} in this tab`);
  const tile = (name, k, text, help, sub) => h("div", { class: "tile", title: help, tabindex: "0", "aria-label": `${name}: ${text}. ${help}` },
    h("span", { class: "tile-name" }, name), h("span", { class: "figure" }, text), h("span", { class: "sub" }, sub ?? "\u00a0"), spark(shown.slice(-30).map((s) => [s.at, s[k]])));
  put(el,
    tile("Accepted/s", "accepted", number(now.accepted), "Messages acknowledged to their senders: " + how("smsc_messages_accepted_total")),
    tile("Delivered/s", "delivered", number(now.delivered), "Messages their recipients have: " + how("smsc_messages_delivered_total")),
    tile("Waiting", "waiting", number(now.waiting), "Messages that wait for a declared link (state.queue.waiting of /api/links), now"),
    tile("Oldest", "oldest", now.waiting ? span(now.oldest) : "-", "Age of the message that waits longest (state.queue.oldest_seconds of /api/links), now"),
    tile("Failed", "failed", number(now.failed), "Messages failed or expired" + (from ? " since the server began: smsc_messages_failed_total and smsc_messages_expired_total" : ", " + how()), share(now.failed, now.ended)),
    tile("Receipts/s", "receipts", number(now.receipts), "Receipts that went home to senders: " + how("smsc_receipts_total")));
}

function glance(el, links) {
  if (!links.length) return put(el, empty("No links.", h("a", { href: "/links" }, "Declare the first one")));
  const held = el.contains(document.activeElement) && document.activeElement.closest("tr")?.dataset.key;
  put(el, table([
    { label: "name", cell: (l) => h("a", { href: "/links/" + encodeURIComponent(l.name) }, l.name) },
    { label: "kind", cell: (l) => l.kind },
    { label: "state", cell: (l) => badge(l.state?.status ?? "idle") },
    { label: "window", cell: (l) => (l.state?.window.size ? [meter(l.state.window.used, l.state.window.size), `${l.state.window.used}/${l.state.window.size}`] : "-") },
    { label: "in", num: true, cell: (l) => number(l.state?.counters.in) },
    { label: "out", num: true, cell: (l) => number(l.state?.counters.out) },
    { label: "waiting", num: true, cell: (l) => number(l.state?.queue.waiting) },
    { label: "oldest", num: true, cell: (l) => (l.state?.queue.waiting ? span(l.state.queue.oldest_seconds) : "-") },
  ], links, { label: "Links at a glance", rowKey: (l) => l.name }));
  if (held) el.querySelector(`tr[data-key="${CSS.escape(held)}"] a`)?.focus();
}

function attention(el, links, now) {
  const list = [];
  for (const l of links) {
    const s = l.state;
    if (!s) continue;
    const at = "/links/" + encodeURIComponent(l.name);
    if (s.status === "down" || s.status === "connecting") list.push([s.status, [l.name, s.since && !s.since.startsWith("0001") ? [" for ", age(s.since)] : "", s.queue.waiting ? `, ${number(s.queue.waiting)} waiting` : ""], at]);
    if (s.status === "paused" || s.status === "degraded") list.push([s.status, [l.name], at]);
    if (s.queue.oldest_seconds > 300) list.push(["retrying", [`${l.name}: the oldest waits ${span(s.queue.oldest_seconds)}`], "/messages" + query({ status: "queued,retrying", dest_smsc: l.name })]);
  }
  if (now?.ended > 20 && now.failed / now.ended > 0.05) list.push(["failed", [`${share(now.failed, now.ended)} of what ended has failed`], "/messages?status=failed,expired"]);
  if (list.length) return put(el, list.map(([word, text, href]) => h("li", {}, h("a", { href }, badge(word), h("span", {}, text)))));
  put(el, h("li", {}, "Nothing needs you."), now?.ended === 0 && may("send") && offers("POST", "/api/messages") ? h("li", { class: "small" }, "No traffic yet. ", h("a", { href: "/send" }, "Send a test message"), ".") : null);
}
