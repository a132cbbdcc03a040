// One message: where it is and why, as a ladder across its peers.
import { h, put, plain, block } from "../dom.js";
import { ask, curl, get, may, offers } from "../api.js";
import { badge, button, confirm, copier, empty, facts, head, note, panel, table } from "../ui.js";
import { full, number, when } from "../format.js";
import { asText, ladder } from "../ladder.js";
import { octets } from "../octets.js";
import { onEvent } from "../live.js";
import { tell } from "./webhooks.js";

const ENDED = ["delivered", "failed", "expired", "cancelled", "dropped"];

export default async function message(page) {
  const id = page.rest[0];
  const path = "/api/messages/" + encodeURIComponent(id);
  const box = { top: h("div", { class: "page" }), more: h("div", { class: "page" }) };
  let shown = "";
  const draw = async () => {
    const [m, trace] = await Promise.all([get(path, {}, page.signal), get(path + "/trace", {}, page.signal)]);
    const now = JSON.stringify([m.data, trace.data]);
    if (now === shown) return;
    shown = now;
    put(box.top, view(m.data, trace.data, box.more, draw));
    document.title = "Message " + m.data.id;
    await beside(box.more, m.data, page);
  };
  await draw();
  put(page.root, box.top);
  let due = false;
  onEvent((kind, read) => { if (kind.startsWith("message.") && (String(read().id) === id || kind === "message.receipt")) due = true; }, page.signal, ["message.*"]);
  let idle = 0;
  page.every(1000, () => {
    if (!due && ++idle % 3) return;
    due = false;
    if (!document.querySelector("dialog")) draw().catch(() => {});
  });
}

// VERDICTS say in one sentence what a status means for the reader.
const VERDICTS = {
  queued: "It waits for its first try.", scheduled: "It waits for the time its sender chose.", retrying: "An attempt has failed; it will be tried again.", sending: "It is on a link now.",
  sent: "The next hop has it and will report.", delivered: "The recipient has it.", failed: "It was refused for good.", expired: "Its time ran out before anybody took it.", cancelled: "It was cancelled.", dropped: "A rule or a route ended it.",
};

function view(m, trace, more, again) {
  const ended = ENDED.includes(m.status);
  const way = m.dest_smsc === null ? null : m.link ?? m.dest_smsc;
  return [
    head(["Message ", h("span", { class: "mono" }, String(m.id))], ...acts(m, ended, again)),
    h("div", { class: "verdict-line" }, badge(m.status), h("p", {}, h("b", {}, VERDICTS[m.status] ?? ""), m.cause && [" Cause: ", h("b", {}, m.cause.replaceAll("_", " ")), "."], m.detail && [" ", plain(m.detail, 200), "."], m.deliver_after && !ended && [" Next try ", h("b", {}, when(m.deliver_after)), "."], way && !ended && [" On ", linked(way), "."])),
    h("div", { class: "split" },
      h("div", { class: "page" }, panel("Its way", ladder(m, trace.steps), h("div", { class: "form-acts" }, copier(() => asText(m, trace.steps), "Copy as text"), copier(() => curl("GET", `/api/messages/${m.id}/trace`), "Copy as curl"), copier(() => `smsc messages trace ${m.id}`, "Copy as smsc"))), may("admin") && panel("Octets", octets(trace.steps) ?? h("p", { class: "small" }, "Nothing of it has gone over a wire.")), more),
      h("div", { class: "page" }, panel("Text", h("p", { class: "body-text", tabindex: "0" }, plain(m.message_body)), h("p", { class: "small" }, `${m.encoding}, ${number(m.parts)} part${m.parts === 1 ? "" : "s"}`)), panel("What it is", fields(m)))),
  ];
}

function acts(m, ended, again) {
  const path = "/api/messages/" + m.id;
  const act = (word, name, text, show, shell) => show && may("send") && offers("POST", "/api/messages/{id}/" + name) && button(word, () => confirm(`${word} message ${m.id}`, text, word, async () => {
    await ask("POST", `${path}/${name}`);
    note(`${word}: done.`);
    await again();
  }, { command: () => ["POST", `${path}/${name}`], shell: shell && (() => `smsc messages ${name} ${m.id}`) }));
  const waits = ["failed", "expired", "retrying", "queued", "scheduled"].includes(m.status);
  return [
    act("Cancel", "cancel", "It will not be tried again; its sender gets a receipt if one was asked for.", !ended && m.status !== "sent", true),
    act("Retry", "retry", ended ? "It becomes due now, with a new validity if the old one is over." : "It becomes due now instead of at its next time.", waits, true),
    act("Replay webhook", "replay", "Its events are posted once more, with the same ids; receivers drop what they have.", true),
    m.deadletter && may("send") && button("Let it go", () => confirm(`Let message ${m.id} go`, "It was set aside as a dead letter. From now on it is given to whom it waits for.", "Let it go", async () => { await ask("PATCH", path, { body: { deadletter: false } }); note("Let go."); await again(); }, { command: () => ["PATCH", path, { deadletter: false }] })),
    may("send") && h("a", { class: "button", href: "/send?" + new URLSearchParams({ from: m.source_msisdn, to: m.destination_msisdn, text: m.message_body }) }, "Send again as new"),
    copier(() => JSON.stringify(m, null, 2), "Copy"),
  ];
}

const linked = (name) => (!name || name === "(parent)" || ["api", "auto"].includes(name) ? plain(name ?? "-") : h("a", { href: "/links/" + encodeURIComponent(name) }, plain(name)));

const took = (m) => {
  const s = (new Date(m.delivered_at) - new Date(m.inserted_at)) / 1000; // known to the second
  return !m.delivered_at ? "" : s < 1 ? " (in under 1 s)" : ` (after ${number(s)} s)`;
};

function fields(m) {
  return facts([
    ["From", plain(m.source_msisdn)], ["To", plain(m.destination_msisdn)], ["Routed as", m.destination_e164], ["Account", m.account], ["Came by", [m.source_smsc ? linked(m.source_smsc) : "-", ` (${m.source_type})`]],
    ["Goes to", m.dest_smsc ? linked(m.dest_smsc) : "open to any poller"], ["Last link", m.link && linked(m.link)], ["Route", m.route && h("a", { href: "/routing?route=" + m.route }, "route " + m.route)],
    ["Accepted", full(m.inserted_at)], ["Last attempt", m.last_attempt_at && full(m.last_attempt_at)], ["Ended", m.done_at && full(m.done_at) + took(m)], ["Valid until", full(m.expires)], ["Failed attempts", number(m.delivery_attempts)], ["Leased until", m.leased_until && full(m.leased_until)],
    ["Receipt", m.status_report], ["Reference", m.client_ref && plain(m.client_ref)], ["Remote ids", m.remote_ids?.length ? h("span", { class: "mono" }, plain(m.remote_ids.join(" "))) : null], ["Cost", m.cost && Number(m.cost) > 0 ? `${m.cost} ${m.cost_unit}` : "nothing"],
    ["Header", m.tp_user_data_header && h("code", {}, plain(JSON.stringify(m.tp_user_data_header)))], ["Class", m.tp_dcs_message_class], ["Kind", m.kind === "receipt" ? "receipt" : null], ["Dead letter", m.deadletter ? "yes: given to nobody" : null], ["SID", h("code", {}, m.sid)],
  ]);
}

// beside shows what else is known of the message: its receipts, what its
// webhooks were told, and why the table in force would send it where.
async function beside(el, m, page) {
  const maybe = (p, params) => get(p, params, page.signal).then((r) => r.data, (e) => { if (e.name === "AbortError") throw e; return []; });
  const told = offers("GET", "/api/webhooks/deliveries");
  const [receipts, posts] = await Promise.all([maybe(`/api/messages/${m.id}/receipts`), told ? maybe("/api/webhooks/deliveries", { since: m.inserted_at }) : []]);
  const mine = posts.filter((d) => String(d.event_id).includes("_" + m.id));
  const why = h("div", {});
  put(el, panel("Receipts", receipts.length ? table([
    { label: "made", cell: (r) => when(r.inserted_at) }, { label: "status", cell: (r) => badge(r.status) }, { label: "error", cell: (r) => plain(r.error ?? "-") }, { label: "parts", num: true, cell: (r) => number(r.parts) }, { label: "remote id", cell: (r) => h("code", {}, plain(r.remote_id ?? "-")) },
  ], receipts, { label: "Receipts" }) : h("p", { class: "small" }, m.status_report === "none" ? "Its sender asked for none." : "None was made yet.")),
  told && panel("Events posted", mine.length ? table([
    { label: "time", cell: (d) => when(d.at) }, { label: "to", wide: true, cell: (d) => plain(d.url, 60) }, { label: "answer", cell: (d) => tell(d) }, { label: "ms", num: true, cell: (d) => number(d.ms) },
  ], mine, { label: "Events posted" }) : h("p", { class: "small" }, "No URL was told of it.")),
  offers("GET", "/api/routes/explain") && m.kind !== "receipt" && panel("The route and why", why, button("Ask the table in force", async (e) => {
    e.target.hidden = true;
    const { verdict } = await import("./simulator.js");
    try {
      const { data } = await get("/api/routes/explain", { from: m.source_msisdn, to: m.destination_msisdn, text: m.message_body.slice(0, 500), account: m.account === "(parent)" ? "" : m.account, source: m.source_type === "HTTP" ? "" : m.source_smsc }, page.signal);
      put(why, verdict(data));
    } catch (err) {
      put(why, empty("It cannot be told.", plain(err.message)));
    }
  })),
  m.sip_headers && Object.keys(m.sip_headers).length > 0 && panel("Headers", h("pre", { tabindex: "0" }, block(Object.entries(m.sip_headers).map(([k, v]) => k + ": " + v).join("\n")))));
}
