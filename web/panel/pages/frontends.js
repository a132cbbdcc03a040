// Frontends: who polls for us, by their heartbeats. Monitoring only; nothing
// is routed by it.
import { h, put, plain, block, svg } from "../dom.js";
import { get, offers, query } from "../api.js";
import { badge, copier, dialog, empty, head, panel, table, trouble } from "../ui.js";
import { age, full, number, span } from "../format.js";

const DAYS = 30;

const word = (f) => (f.status === "active" ? "active" : "lapsed");

export default async function frontends(page) {
  const rows = h("div", {});
  const sums = h("div", { class: "stateline" });
  const kind = page.query.get("status") ?? "";
  const load = async () => {
    const [list, stats] = await Promise.all([get(kind === "active" ? "/api/frontends/active" : "/api/frontends", {}, page.signal), offers("GET", "/api/frontends/stats") ? get("/api/frontends/stats", {}, page.signal) : null]);
    if (stats) put(sums, h("span", {}, h("b", {}, number(stats.data.active)), " active"), h("span", {}, h("b", {}, number(stats.data.expired)), " periods that ended"), h("span", {}, h("b", {}, number(stats.data.unique_frontends)), " names"));
    draw(list.data);
  };
  const draw = (all) => {
    if (!all.length) return put(rows, none());
    const newest = new Map();
    for (const f of all) if (!newest.has(f.frontend_name)) newest.set(f.frontend_name, f);
    put(rows, table([
      { label: "name", cell: (f) => h("button", { type: "button", class: "button quiet tiny", onclick: () => history(f.frontend_name) }, plain(f.frontend_name, 60)) },
      { label: "type", cell: (f) => plain(f.frontend_type, 40) },
      { label: "status", cell: (f) => badge(word(f)) },
      { label: "address", cell: (f) => plain(f.ip_address) },
      { label: "host", cell: (f) => plain(f.hostname ?? "-", 60) },
      { label: "last seen", num: true, cell: (f) => age(f.last_seen_at) },
      { label: "up", num: true, cell: (f) => span(f.uptime_seconds) },
      { label: "last 30 days", cell: (f) => periods(all.filter((p) => p.frontend_name === f.frontend_name)) },
    ], [...newest.values()], { label: "Frontends", rowKey: (f) => f.frontend_name }));
  };
  put(page.root, head("Frontends", h("a", { class: "button", href: "/frontends" + query({ status: kind === "active" ? "" : "active" }) }, kind === "active" ? "Show all" : "Only active")), sums, rows);
  await load();
  page.every(5000, () => load().catch((e) => e.name === "AbortError" || put(rows, trouble(e, page.again))));
}

// periods draws when a name was up in the last 30 days.
function periods(list) {
  const end = Date.now();
  const begin = end - DAYS * 86400000;
  const x = (t) => Math.max(0, Math.min(100, (100 * (new Date(t) - begin)) / (end - begin)));
  const el = svg("svg", { class: "meter", viewBox: "0 0 100 8", preserveAspectRatio: "none", role: "img", "aria-label": `${list.length} period${list.length === 1 ? "" : "s"} in ${DAYS} days` }, svg("rect", { class: "back", width: 100, height: 8 }));
  for (const p of list) el.append(svg("rect", { class: "used", x: x(p.inserted_at), width: Math.max(1, x(p.last_seen_at) - x(p.inserted_at)), height: 8 }));
  return el;
}

async function history(name) {
  const box = h("div", {}, "...");
  dialog("Periods of " + name, () => box);
  try {
    const { data } = await get("/api/frontends/history/" + encodeURIComponent(name));
    put(box, table([{ label: "from", cell: (p) => full(p.inserted_at) }, { label: "to", cell: (p) => full(p.last_seen_at) }, { label: "length", num: true, cell: (p) => span((new Date(p.last_seen_at) - new Date(p.inserted_at)) / 1000) }, { label: "address", cell: (p) => plain(p.ip_address) }], data, { label: "Periods" }),
      data[0]?.configuration && panel("Configuration", h("pre", { tabindex: "0" }, block(data[0].configuration))));
  } catch (e) {
    put(box, trouble(e));
  }
}

function none() {
  const call = `curl -sS -H "X-API-Key: $SMSC_KEY" -H 'Content-Type: application/json' -d '{"frontend_name":"gateway-1","frontend_type":"SMPP"}' ${location.origin}/api/frontends`;
  return empty("No frontend has said that it lives.", "A frontend reports itself every 30 s or so; 90 s without a word and it counts as expired:", h("code", {}, call), copier(() => call, "Copy"));
}
