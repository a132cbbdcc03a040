// Webhooks: what was posted where, and how it was answered.
import { h, put, plain, block } from "../dom.js";
import { ask, get, may, offers, query } from "../api.js";
import { badge, button, confirm, dialog, empty, head, note, table } from "../ui.js";
import { number, when } from "../format.js";

export default async function webhooks(page) {
  const params = { link: page.query.get("link"), status: page.query.get("status") };
  const { data } = await get("/api/webhooks/deliveries", params, page.signal);
  const replay = may("send") && offers("POST", "/api/webhooks/replay") && button("Replay", () => confirm("Replay webhooks", "Events are posted once more with the same ids; receivers drop what they have.", "Replay", async (v) => {
    const { data } = await ask("POST", "/api/webhooks/replay", { body: { link: v.link, since: new Date(Date.now() - v.minutes * 60000).toISOString(), ...(v.failed ? { only: "failed" } : {}) } });
    note(`${data.queued} queued.`);
    page.again();
  }, { fields: [{ name: "link", label: "Link", required: true, value: params.link ?? "" }, { name: "minutes", label: "Of the last minutes", type: "number", value: 60 }, { name: "failed", label: "Only those that failed", type: "check", value: true }] }));
  put(page.root, head("Webhooks", replay), h("form", { class: "filters", "aria-label": "Filters", onsubmit: (e) => { e.preventDefault(); page.go("/webhooks" + query(Object.fromEntries(new FormData(e.target)))); } },
    h("label", {}, "Link", h("input", { name: "link", value: params.link ?? "" })), h("label", {}, "Answer", h("input", { name: "status", value: params.status ?? "" })), h("button", { class: "button", type: "submit" }, "Filter")),
  data.length ? table([
    { label: "time", cell: (d) => when(d.at) }, { label: "event", cell: (d) => h("code", {}, plain(d.id ?? d.event_id ?? d.event)) }, { label: "url", wide: true, cell: (d) => plain(d.url, 80) }, { label: "attempt", num: true, cell: (d) => number(d.attempt) },
    { label: "answer", cell: (d) => (d.error ? badge("failed", d.error) : plain(d.status_code ?? d.status ?? "-")) }, { label: "ms", num: true, cell: (d) => number(d.ms) },
    { label: "more", cell: (d) => (d.request || d.reply ? h("button", { type: "button", class: "button tiny", onclick: () => dialog("Request and reply", () => h("div", {}, h("h3", {}, "Request"), h("pre", { tabindex: "0" }, block(typeof d.request === "object" ? JSON.stringify(d.request, null, 2) : d.request)), h("h3", {}, "Reply"), h("pre", { tabindex: "0" }, block(d.reply ?? "-")))) }, "Bodies") : "-") },
  ], data, { label: "Webhook deliveries" }) : empty("Nothing was posted yet.", "Each post is signed (Standard Webhooks): compare webhook-signature with the HMAC-SHA256 of id.timestamp.body."));
}
