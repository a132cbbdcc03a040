// Webhooks: what was posted where, and how it was answered.
import { h, put, plain, block } from "../dom.js";
import { ask, get, may, offers, query } from "../api.js";
import { badge, button, confirm, copier, dialog, empty, head, note, table } from "../ui.js";
import { number, when } from "../format.js";

const FILTERS = ["link", "status", "last"];
const SECONDS = { "15m": 900, "1h": 3600, "24h": 86400 };

export default async function webhooks(page) {
  const params = Object.fromEntries(FILTERS.map((f) => [f, page.query.get(f) ?? ""]));
  const since = SECONDS[params.last] ? new Date(Date.now() - SECONDS[params.last] * 1000).toISOString() : "";
  const [{ data }, links] = await Promise.all([get("/api/webhooks/deliveries", { link: params.link, status: params.status, since }, page.signal), get("/api/links", {}, page.signal)]);
  const names = [...links.data.filter((l) => l.kind === "webhook").map((l) => l.name), "callback"];
  const replay = may("send") && offers("POST", "/api/webhooks/replay") && button("Replay", () => again(page, names, params.link));
  put(page.root, head("Webhooks", replay, button("How to verify", verify)), filters(page, names, params), data.length ? deliveries(data, page) : nothing(params));
}

function filters(page, names, params) {
  const choice = (name, options) => { const el = h("select", { name, onchange: (e) => e.target.form.requestSubmit() }, options.map(([v, text]) => h("option", { value: v }, text))); el.value = params[name]; return el; };
  return h("form", { class: "filters", "aria-label": "Filters", onsubmit: (e) => { e.preventDefault(); page.go("/webhooks" + query(Object.fromEntries(new FormData(e.target)))); } },
    h("label", {}, "Link", choice("link", [["", "any"], ...names.map((n) => [n, n])])), h("label", {}, "Answer", h("input", { name: "status", value: params.status, placeholder: "500, failed" })),
    h("label", {}, "Time", choice("last", [["", "any time"], ["15m", "last 15 min"], ["1h", "last hour"], ["24h", "last 24 h"]])), h("button", { class: "button", type: "submit" }, "Filter"));
}

// tell is the answer to one delivery, by word and figure.
export function tell(d) {
  if (d.error) return badge("failed", d.error);
  return [badge(d.status >= 200 && d.status < 300 ? "delivered" : "failed", "HTTP " + d.status), " ", String(d.status)];
}

const message = (id) => /^evt_(\d+)/.exec(id)?.[1];

export function deliveries(data, page) {
  return table([
    { label: "time", cell: (d) => when(d.at) },
    { label: "message", cell: (d) => (message(d.event_id) ? h("a", { href: "/messages/" + message(d.event_id), title: d.event_id }, message(d.event_id)) : h("code", {}, plain(d.event_id))) },
    { label: "event", cell: (d) => plain(kind(d)) }, { label: "link", cell: (d) => plain(d.link ?? "-") }, { label: "url", wide: true, cell: (d) => plain(d.url, 80) },
    { label: "attempt", num: true, cell: (d) => number(d.attempt) }, { label: "answer", cell: tell }, { label: "ms", num: true, cell: (d) => number(d.ms) },
    { label: "more", cell: (d) => h("span", { class: "group" }, h("button", { type: "button", class: "button tiny", "aria-label": "Bodies of " + d.event_id, onclick: () => bodies(d) }, "Bodies"),
      may("send") && message(d.event_id) && h("button", { type: "button", class: "button tiny", "aria-label": "Replay " + d.event_id, onclick: () => one(message(d.event_id), page) }, "Replay")) },
  ], data, { label: "Webhook deliveries" });
}

function kind(d) {
  try {
    return JSON.parse(d.request).type;
  } catch {
    return "-";
  }
}

function indented(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text ?? "nothing";
  }
}

function bodies(d) {
  dialog("Request and reply", () => h("div", { class: "page" }, d.error && h("p", { class: "trouble" }, plain(d.error)), h("h3", {}, "Request to ", plain(d.url, 80)), h("pre", { tabindex: "0" }, block(indented(d.request))),
    h("h3", {}, d.status ? `Reply, ${d.status} after ${number(d.ms)} ms` : "No reply"), h("pre", { tabindex: "0" }, block(indented(d.reply)))));
}

function one(id, page) {
  confirm(`Replay the events of ${id}`, "They are posted once more with the same ids; receivers drop what they have.", "Replay", async () => { await ask("POST", `/api/messages/${id}/replay`); note("Queued."); page.again(); }, { command: () => ["POST", `/api/messages/${id}/replay`] });
}

function again(page, names, link) {
  const body = (v) => ({ link: v.link, since: new Date(Date.now() - (v.minutes ?? 60) * 60000).toISOString(), ...(v.failed ? { only: "failed" } : {}) });
  confirm("Replay webhooks", "Events are posted once more with the same ids; receivers drop what they have.", "Replay", async (v) => {
    const { data } = await ask("POST", "/api/webhooks/replay", { body: body(v) });
    note(`${number(data.queued)} queued.`);
    page.again();
  }, { fields: [{ name: "link", label: "Link", type: "select", options: names, value: link || names[0] }, { name: "minutes", label: "Of the last minutes", type: "number", value: 60 }, { name: "failed", label: "Only those that failed", type: "check", value: true }], command: (v) => ["POST", "/api/webhooks/replay", body(v)] });
}

const CODE = `import base64, hashlib, hmac

def genuine(secret, headers, body):  # secret: whsec_..., body: the bytes as they came
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    want = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return any(hmac.compare_digest(want, s) for s in headers["webhook-signature"].split())`;

const shown = () => h("div", { class: "page" }, h("p", {}, "Each post is signed as Standard Webhooks say. Compare, and drop an id that you have seen:"), h("pre", { class: "mono", tabindex: "0" }, CODE), h("div", {}, copier(() => CODE, "Copy")));

function verify() {
  dialog("How to verify a post", shown);
}

function nothing(params) {
  if (Object.values(params).some(Boolean)) return empty("No delivery matches.", h("a", { class: "button", href: "/webhooks" }, "Show all"));
  return empty("Nothing was posted yet.", shown());
}
