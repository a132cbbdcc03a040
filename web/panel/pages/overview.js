// Overview: is the house healthy, and which link hurts?
import { h, put } from "../dom.js";
import { get, isOperator, may, offers, query, session } from "../api.js";
import { badge, button, empty, head, panel, table, trouble } from "../ui.js";
import { bars, lines, meter, spark } from "../chart.js";
import { age, number, share, span } from "../format.js";
import { RANGES, follow, load, newest } from "../figures.js";

const WAITING = ["queued", "scheduled", "retrying", "sending", "sent"];

export default async function overview(page) {
  const range = RANGES.find((r) => r[0] === page.query.get("range")) ?? RANGES[0];
  const ranges = h("span", { class: "group", role: "group", "aria-label": "Range" }, RANGES.map(([name, words]) => button(words, () => page.go("/" + query({ range: name })))));
  ranges.childNodes.forEach((b, i) => b.setAttribute("aria-pressed", String(RANGES[i] === range)));
  const box = {
    state: h("div", { class: "stateline" }), tiles: h("div", { class: "tiles" }), attention: h("ul", { class: "attention" }), links: h("div", {}), failures: h("div", {}),
  };
  const group = [];
  const pick = (at) => minute(page, at);
  const charts = {
    traffic: lines("Messages in and out", [], { unit: "/s", pick, group }),
    waiting: lines("Waiting", [], { pick, group }),
    answers: isOperator() && lines("Acknowledged within, disk sync", [], { unit: " ms", pick, group }),
  };
  await Promise.all([standing(box.state, page), figures(page, range, charts, box), matters(page, box)]);
  put(page.root, head("Overview", ranges), box.state, box.tiles, h("div", { class: "charts" }, charts.traffic, charts.answers, charts.waiting),
    h("div", { class: "split" }, panel("Links", box.links), h("div", { class: "page first" }, panel("Attention", box.attention), panel("Failures by cause, " + range[1], box.failures))));
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
  put(el, rows.length ? bars(rows.map(([c, n]) => [c, n, "/messages" + query({ status: "failed,expired", cause: c })])) : h("p", { class: "small" }, "None."));
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
      h("span", {}, h("b", {}, s.data === "memory" ? "memory" : "stored"), s.data === "memory" ? ": nothing is promised over a restart" : ": acknowledged only after the disk has it"),
      h("span", {}, "version ", h("b", {}, data.version ?? s.version ?? "-")), h("span", {}, "up ", h("b", {}, span(data.uptime_seconds))),
      data.links && h("span", {}, "links ", h("b", {}, `${number(data.links.up)} up, ${number(data.links.down)} down, ${number(data.links.paused)} paused`)));
  };
  await say();
  page.every(10000, () => say().catch(() => {}));
}

function tiles(el, series, hour) {
  const held = el.contains(document.activeElement) ? [...el.children].indexOf(document.activeElement) : -1;
  const failed = hour.failed + hour.expired;
  const tile = (name, points, text, help, sub) => h("div", { class: "tile", title: help, tabindex: "0", "aria-label": `${name}: ${text}. ${help}` },
    h("span", { class: "tile-name" }, name), h("span", { class: "figure" }, text), h("span", { class: "sub" }, sub ?? "\u00a0"), spark((points ?? []).slice(-60)));
  const rate = (name, key, help, metric) => tile(name, series[key], number(newest(series[key])), `${help}, in the last second (${metric})`);
  const waiting = newest(series.waiting);
  put(el,
    rate("Accepted/s", "accepted", "Messages acknowledged to their senders", "smsc_messages_accepted_total"),
    rate("Delivered/s", "delivered", "Messages their recipients have", "smsc_messages_delivered_total"),
    tile("Waiting", series.waiting, number(waiting), "Messages without an end, now (smsc_queue_depth)"),
    tile("Oldest", series.oldest_seconds, waiting ? span(newest(series.oldest_seconds)) : "-", "How long ago the oldest due message became due (smsc_queue_oldest_seconds)"),
    tile("Failed, 1 h", series.failed, number(failed), "Messages failed or expired in the last hour, and their share of what ended (smsc_messages_failed_total, smsc_messages_expired_total)", share(failed, failed + hour.delivered)),
    rate("Receipts/s", "receipts", "Receipts made for senders", "smsc_receipts_total"));
  if (held >= 0) el.children[held].focus();
}

// matters keeps the links and what needs a person up to date.
async function matters(page, box) {
  let others = [];
  const lapsed = async () => { others = await elsewhere(page.signal); };
  const look = async () => {
    const { data } = await get("/api/links", {}, page.signal);
    glance(box.links, data);
    attention(box.attention, [...data.flatMap(worry), ...others]);
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
    { label: "window", cell: (l) => (l.state?.window.size ? [meter(l.state.window.used, l.state.window.size), `${l.state.window.used}/${l.state.window.size}`] : "-") },
    { label: "in", num: true, cell: (l) => number(l.state?.counters.in) },
    { label: "out", num: true, cell: (l) => number(l.state?.counters.out) },
    { label: "waiting", num: true, cell: (l) => number(l.state?.queue.waiting) },
    { label: "oldest", num: true, cell: (l) => (l.state?.queue.waiting ? span(l.state.queue.oldest_seconds) : "-") },
  ], shown, { label: "Links at a glance", rowKey: (l) => l.name }), links.length > shown.length && h("p", { class: "small" }, h("a", { href: "/links" }, `All ${number(links.length)} links`)));
  if (held) el.querySelector(`tr[data-key="${CSS.escape(held)}"] a`)?.focus();
}

// worry lists what is wrong with a link: [status, words, page].
function worry(l) {
  const s = l.state;
  if (!s) return [];
  const at = "/links/" + encodeURIComponent(l.name);
  const list = [];
  if (s.status === "down" || s.status === "connecting") list.push([s.status, [l.name, s.since && !s.since.startsWith("0001") ? [" for ", age(s.since)] : "", s.queue.waiting ? `, ${number(s.queue.waiting)} waiting` : ""], at]);
  if (s.status === "paused" || s.status === "degraded") list.push([s.status, [l.name], at]);
  if (s.queue.oldest_seconds > 300) list.push(["retrying", [`${l.name}: the oldest waits ${span(s.queue.oldest_seconds)}`], "/messages" + query({ status: "queued,retrying", dest_smsc: l.name })]);
  return list;
}

// elsewhere lists what is wrong beside the links.
async function elsewhere(signal) {
  const ask = (path, wanted = true) => (wanted && offers("GET", path) ? get(path, {}, signal).then((r) => r.data, () => null) : null);
  const [queues, frontends, system, stats] = await Promise.all([ask("/api/queues"), ask("/api/frontends"), ask("/api/system", isOperator()), load("5m", signal)]);
  const list = [];
  for (const q of queues ?? []) if (q.waiting > 0 && !q.pollers && (!q.declared || q.kind === "poll")) list.push(["retrying", [`queue ${q.name || "open to all"}: nobody polls, ${number(q.waiting)} waiting`], "/queues"]);
  const seen = new Set();
  for (const f of frontends ?? []) {
    if (!seen.has(f.frontend_name) && f.status !== "active" && Date.now() - Date.parse(f.last_seen_at) < 86400000) list.push(["lapsed", [`frontend ${f.frontend_name}, last seen `, age(f.last_seen_at), " ago"], "/frontends"]);
    seen.add(f.frontend_name);
  }
  const disk = system?.disk;
  if (disk && disk.total_bytes > 0 && disk.free_bytes / disk.total_bytes < 0.1) list.push(["down", [`disk: ${share(disk.free_bytes, disk.total_bytes)} free`], "/system"]);
  const { failed, expired, delivered } = stats.totals;
  if (failed + expired + delivered > 20 && (failed + expired) / (failed + expired + delivered) > 0.05) list.push(["failed", [`${share(failed + expired, failed + expired + delivered)} of what ended has failed, 5 min`], "/messages?status=failed,expired"]);
  return list;
}

function attention(el, list) {
  if (list.length) return put(el, list.slice(0, 12).map(([word, text, href]) => h("li", {}, h("a", { href }, badge(word), h("span", {}, text)))), list.length > 12 && h("li", { class: "small" }, `and ${list.length - 12} more`));
  put(el, h("li", {}, "Nothing needs you."), may("send") && offers("POST", "/api/messages") ? h("li", { class: "small" }, h("a", { href: "/send" }, "Send a test message"), ".") : null);
}
