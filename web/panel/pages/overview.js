// Overview: is the house healthy, and which link hurts?
import { h, put } from "../dom.js";
import { get, isOperator, may, offers, query, session } from "../api.js";
import { badge, button, copier, empty, head, panel, table, trouble } from "../ui.js";
import { bars, lines, meter, spark } from "../chart.js";
import { number, share, span } from "../format.js";
import { RANGES, follow, load, newest } from "../figures.js";
import * as words from "../words.js";
import { elsewhere, worry } from "../worries.js";

const WAITING = ["queued", "scheduled", "retrying", "sending", "sent"];

export default async function overview(page) {
  const range = RANGES.find((r) => r[0] === page.query.get("range")) ?? RANGES[0];
  const ranges = h("span", { class: "group", role: "group", "aria-label": "Range" }, RANGES.map(([name, said]) => button(said, () => page.go("/" + query({ range: name })))));
  ranges.childNodes.forEach((b, i) => b.setAttribute("aria-pressed", String(RANGES[i] === range)));
  const box = {
    state: h("div", { class: "stateline" }), tiles: h("div", { class: "tiles" }), quiet: h("div", { hidden: true }), attention: h("div", {}), links: h("div", {}), failures: h("div", {}),
  };
  const group = [];
  const pick = (at) => minute(page, at);
  const charts = {
    traffic: lines("Messages in and out", [], { unit: "/s", pick, group, help: "Messages acknowledged to their senders, and messages their recipients have, each second" }),
    waiting: lines("Waiting", [], { pick, group, help: "Messages without an end, by their state" }),
    answers: isOperator() && lines("Acknowledged within, disk sync", [], { unit: " ms", pick, group, help: "How long senders waited for their answer: half of them less than p50, all but one in a hundred less than p99; and the same of disk syncs" }),
  };
  await Promise.all([standing(box.state, page), figures(page, range, charts, box), matters(page, box)]);
  put(page.root, head("Overview", ranges), box.state, box.tiles, box.quiet, panel(["Attention ", box.count], box.attention), h("div", { class: "charts" }, charts.traffic, charts.answers, charts.waiting),
    h("div", { class: "split" }, panel("Links", box.links), panel("Failures by cause, " + range[1], box.failures)));
}

// figures keeps tiles, charts and causes up to date: tiles and the newest
// five minutes each second, the rest as its steps go.
async function figures(page, range, charts, box) {
  let [slow, hour] = await Promise.all([load(range[0], page.signal), load("1h", page.signal)]);
  const again = async () => {
    [slow, hour] = await Promise.all([load(range[0], page.signal), load("1h", page.signal)]);
    draw(charts, slow);
    causes(box.failures, slow.causes);
  };
  await follow(page, (doc) => {
    tiles(box.tiles, doc.series, hour.totals);
    quiet(box.quiet, doc.series, slow);
    if (range[0] === "5m") draw(charts, { ...doc, waiting: slow.waiting });
  });
  draw(charts, slow);
  causes(box.failures, slow.causes);
  page.every(range[0] === "24h" ? 60000 : 10000, () => again().catch(() => {}));
}

function draw(charts, { series, waiting }) {
  const line = (name, points) => ({ name, points: points ?? [] });
  charts.traffic.update([line("in", series.accepted), line("out", series.delivered)]);
  const states = WAITING.filter((s) => waiting[s]?.some(([, n]) => n > 0));
  charts.waiting.update(states.length ? states.map((s) => line(s, waiting[s])) : [line("waiting", series.waiting)]);
  if (charts.answers) charts.answers.update([line("p50", series.ack_p50_ms), line("p99", series.ack_p99_ms), line("sync p99", series.sync_p99_ms)]);
}

function causes(el, counts) {
  const rows = Object.entries(counts).filter(([, n]) => n > 0).sort((a, b) => b[1] - a[1]).slice(0, 6);
  put(el, rows.length ? bars(rows.map(([c, n]) => [c.replaceAll("_", " "), n, "/messages" + query({ status: "failed,expired", cause: c })])) : h("p", { class: "small" }, "Nothing has failed."));
}

function minute(page, at) {
  const start = new Date(Math.floor(at / 60000) * 60000);
  page.go("/messages" + query({ since: start.toISOString(), until: new Date(+start + 60000).toISOString() }));
}

async function standing(el, page) {
  const say = async () => {
    const { data } = await get("/api/status", { view: "full" }, page.signal).catch((e) => {
      if (e.status === 503) return { data: e.body };
      throw e;
    });
    const s = session.me.server ?? {};
    put(el, badge(data.status === "ok" ? "ready" : data.status ?? "not ready"),
      h("span", { title: s.data === "memory" ? "Nothing is promised over a restart" : "Acknowledged only after the disk has it" }, h("b", {}, s.data === "memory" ? "memory" : "stored"), s.data === "memory" ? ": lost at a restart" : ""),
      h("span", {}, "version ", h("b", {}, data.version ?? s.version ?? "-")), h("span", {}, "up ", h("b", {}, span(data.uptime_seconds))),
      data.links && h("a", { href: "/links", class: "plainlink" }, "links ", h("b", {}, [`${number(data.links.up)} up`, data.links.down > 0 && `${number(data.links.down)} down`, data.links.paused > 0 && `${number(data.links.paused)} paused`].filter(Boolean).join(", "))));
  };
  await say();
  page.every(10000, () => say().catch(() => {}));
}

function tiles(el, series, hour) {
  const held = el.contains(document.activeElement) ? [...el.children].indexOf(document.activeElement) : -1;
  const failed = hour.failed + hour.expired;
  const tile = (name, points, text, help, sub, tone) => h("div", { class: "tile" + (tone ? " tone-" + tone : ""), title: help, tabindex: "0", role: "group", "aria-label": `${name}: ${text}. ${help}` },
    h("span", { class: "tile-name" }, name), h("span", { class: "reads" }, h("span", { class: "figure" }, text), sub && h("span", { class: "sub" }, sub)), spark((points ?? []).slice(-60)));
  const rate = (name, key, help, metric) => tile(name, series[key], number(newest(series[key])), `${help}, in the last second (${metric})`);
  const waiting = newest(series.waiting);
  const oldest = newest(series.oldest_seconds);
  const bad = failed + hour.delivered > 20 && failed / (failed + hour.delivered) > 0.05;
  put(el,
    rate("Accepted/s", "accepted", "Messages acknowledged to their senders", "smsc_messages_accepted_total"),
    rate("Delivered/s", "delivered", "Messages their recipients have", "smsc_messages_delivered_total"),
    tile("Waiting", series.waiting, number(waiting), "Messages without an end, now (smsc_queue_depth)"),
    tile("Oldest", series.oldest_seconds, waiting ? span(oldest) : "-", "How long ago the oldest due message became due (smsc_queue_oldest_seconds)", waiting && oldest !== null ? (oldest > 300 ? "late" : "ok") : "", waiting && oldest > 300 && "warn"),
    tile("Failed, 1 h", series.failed, number(failed), "Messages failed or expired in the last hour, and their share of what ended (smsc_messages_failed_total, smsc_messages_expired_total)", share(failed, failed + hour.delivered), bad && "bad"),
    rate("Receipts/s", "receipts", "Receipts made for senders", "smsc_receipts_total"));
  if (held >= 0) el.children[held].focus();
}

// quiet says what to do with a house that has never carried a message.
function quiet(el, series, slow) {
  const silent = !slow.totals.accepted && !newest(series.waiting) && !series.accepted.some(([, n]) => n > 0);
  el.hidden = !silent;
  if (!silent || el.firstChild) return;
  const line = "smsc sandbox";
  el.append(empty("No traffic yet.", may("send") && offers("POST", "/api/messages") ? h("a", { class: "button primary", href: "/send" }, "Send a test message") : "Messages appear here as they arrive.",
    h("p", {}, "To see a whole house at work, carrier and handset included: ", h("code", {}, line), " ", copier(() => line, "Copy"))));
}

// matters keeps the links and what needs a person up to date.
async function matters(page, box) {
  let others = [];
  box.count = h("span", { class: "count" });
  const lapsed = async () => { others = await elsewhere(page.signal); };
  const look = async () => {
    const { data } = await get("/api/links", {}, page.signal);
    const mine = data.filter((l) => !session.account || (l.account ?? "operator") === session.account);
    glance(box.links, mine);
    attention(box, [...mine.flatMap(worry), ...others]);
  };
  await lapsed();
  await look();
  page.every(2000, () => look().catch((e) => e.name === "AbortError" || put(box.links, trouble(e, page.again))));
  page.every(10000, () => lapsed().catch(() => {}));
}

function glance(el, links) {
  if (!links.length) return put(el, empty("No links.", h("a", { href: "/links" }, "Declare the first one")));
  const held = el.contains(document.activeElement) && document.activeElement.closest("tr")?.dataset.key;
  const hurt = (l) => worry(l).length;
  const shown = [...links].sort((a, b) => hurt(b) - hurt(a)).slice(0, 20);
  put(el, table([
    { label: "name", cell: (l) => h("a", { href: "/links/" + encodeURIComponent(l.name) }, l.name) },
    { label: "kind", cell: (l) => l.kind },
    { label: "state", cell: (l) => badge(l.state?.status ?? "idle") },
    { label: "window", help: "Requests in flight, of those allowed at once", cell: (l) => (l.state?.window.size && l.kind !== "poll" ? [meter(l.state.window.used, l.state.window.size), `${l.state.window.used}/${l.state.window.size}`] : "-") },
    { label: "in/s", num: true, help: "Messages that came over it, a second", cell: (l) => number(l.state?.rate?.in) },
    { label: "out/s", num: true, help: "Messages that left over it, a second", cell: (l) => number(l.state?.rate?.out) },
    { label: "waiting", num: true, help: "Messages for it that have no end yet (smsc_link_waiting)", cell: (l) => number(l.state?.queue.waiting) },
    { label: "oldest", num: true, help: "How long ago the oldest of them became due (smsc_link_oldest_seconds)", cell: (l) => (l.state?.queue.waiting ? span(l.state.queue.oldest_seconds) : "-") },
  ], shown, { label: "Links at a glance", rowKey: (l) => l.name }), links.length > shown.length && h("p", { class: "small" }, h("a", { href: "/links" }, `All ${number(links.length)} links`)));
  if (held) el.querySelector(`tr[data-key="${CSS.escape(held)}"] a`)?.focus();
}

function attention(box, list) {
  const el = box.attention;
  if (el.contains(document.activeElement)) return; // a list does not move under a hand
  box.count.textContent = list.length ? `(${list.length})` : "";
  const rank = { bad: 0, warn: 1 };
  list.sort((a, b) => (rank[words.status[a[0]]?.[1]] ?? 2) - (rank[words.status[b[0]]?.[1]] ?? 2));
  if (!list.length) return put(el, h("p", { class: "calmly" }, badge("ok"), " Nothing needs you."));
  put(el, h("ul", { class: "attention" }, list.slice(0, 12).map(([word, text, href]) => h("li", {}, h("a", { href }, badge(word), h("span", {}, text))))), list.length > 12 && h("p", { class: "small" }, `and ${list.length - 12} more`));
}
