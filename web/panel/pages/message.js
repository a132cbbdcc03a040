// One message: where it is and why, as a ladder across its peers.
import { h, put, plain } from "../dom.js";
import { ask, curl, get, may, offers } from "../api.js";
import { badge, button, confirm, copier, facts, head, note, panel } from "../ui.js";
import { clock, full, number } from "../format.js";
import { onEvent } from "../live.js";

export default async function message(page) {
  const id = page.rest[0];
  const draw = async () => {
    const [m, trace] = await Promise.all([get("/api/messages/" + encodeURIComponent(id), {}, page.signal), get(`/api/messages/${encodeURIComponent(id)}/trace`, {}, page.signal)]);
    put(page.root, ...view(m.data, trace.data, page, draw));
    document.title = "Message " + m.data.id;
  };
  await draw();
  let due = false;
  onEvent((kind, data) => { if (String(data.id) === id || kind === "message.receipt") due = true; }, page.signal);
  let idle = 0;
  page.every(1000, () => {
    if (!due && ++idle % 3) return;
    due = false;
    if (!document.querySelector("dialog")) draw().catch(() => {});
  });
}

function view(m, trace, page, again) {
  const ended = ["delivered", "failed", "expired", "cancelled", "dropped"].includes(m.status);
  const path = "/api/messages/" + m.id;
  const act = (word, name, text, show) => show && may("send") && button(word, () => confirm(`${word} message ${m.id}`, text, word, async () => {
    await ask("POST", `${path}/${name}`);
    note(`${word}: done.`);
    await again();
  }, { command: () => ["POST", `${path}/${name}`] }));
  return [
    head(["Message ", h("span", { class: "mono" }, String(m.id))],
      act("Cancel", "cancel", "It will not be tried again; its sender gets a receipt if one was asked for.", !ended && m.status !== "sent"),
      act("Retry", "retry", m.status === "failed" || m.status === "expired" ? "It becomes due now, with a new validity if the old one is over." : "It becomes due now instead of at its next time.", ["failed", "expired", "retrying", "queued", "scheduled"].includes(m.status)),
      offers("POST", "/api/messages/{id}/replay") && act("Replay webhook", "replay", "Its events are posted once more, with the same ids.", true),
      may("send") && h("a", { class: "button", href: "/send?" + new URLSearchParams({ from: m.source_msisdn, to: m.destination_msisdn, text: m.message_body }) }, "Send again as new"),
      copier(() => JSON.stringify(m, null, 2), "Copy"), copier(() => curl("GET", path), "Copy as curl"), copier(() => `smsc messages trace ${m.id}`, "Copy as smsc")),
    h("div", { class: "stateline" }, badge(m.status), m.cause && h("span", {}, "cause ", h("b", {}, m.cause)), m.detail && h("span", {}, plain(m.detail, 200)), m.deliver_after && !ended && h("span", {}, "next ", h("b", {}, full(m.deliver_after)))),
    h("div", { class: "two" },
      panel("Text", h("p", { class: "body-text" }, plain(m.message_body)), h("p", { class: "small" }, `${m.encoding}, ${number(m.parts)} part${m.parts === 1 ? "" : "s"}`)),
      panel("What it is", facts([
        ["From", plain(m.source_msisdn)], ["To", plain(m.destination_msisdn)], ["Routed as", m.destination_e164], ["Account", m.account], ["Came by", [m.source_smsc ? linked(m.source_smsc) : "-", ` (${m.source_type})`]],
        ["Goes to", m.dest_smsc ? linked(m.dest_smsc) : "open to any poller"], ["Last link", m.link && linked(m.link)], ["Route", m.route && h("a", { href: "/routing?route=" + m.route }, "route " + m.route)],
        ["Accepted", full(m.inserted_at)], ["Ended", m.done_at && full(m.done_at)], ["Valid until", full(m.expires)], ["Attempts", number(m.delivery_attempts)], ["Leased until", m.leased_until && full(m.leased_until)],
        ["Receipt", m.status_report], ["Reference", m.client_ref && plain(m.client_ref)], ["Remote ids", m.remote_ids?.length ? h("span", { class: "mono" }, plain(m.remote_ids.join(" "))) : null], ["Cost", m.cost && m.cost !== "0.000000" ? `${m.cost} ${m.cost_unit}` : null],
        ["Header", m.tp_user_data_header && h("code", {}, plain(JSON.stringify(m.tp_user_data_header)))], ["Kind", m.kind === "receipt" ? "receipt" : null], ["SID", h("code", {}, m.sid)],
      ]))),
    panel("Its way", ladder(m, trace.steps), h("div", { class: "form-acts" }, copier(() => asText(m, trace.steps), "Copy as text"))),
  ];
}

const linked = (name) => (name === "(parent)" || ["api", "auto"].includes(name) ? name : h("a", { href: "/links/" + encodeURIComponent(name) }, plain(name)));

const TONES = { Delivered: "good", Relayed: "good", Deferred: "warn", Unsure: "warn", Refused: "bad" };

// place tells between whom a step happens: from and to are columns, equal
// where it happens in the house.
function place(step, peers, source) {
  const us = 1;
  const at = Math.max(peers.indexOf(step.link), 0);
  switch (step.step) {
    case "accepted": return [0, us];
    case "attempt": return [us, at];
    case "outcome": case "report": return step.link ? [at, us] : [us, us];
    case "receipt": return step.link ? [us, step.link === source ? 0 : at || 0] : [us, us];
    default: return [us, us];
  }
}

// ladder draws one column a peer and one arrow a hop.
export function ladder(m, steps) {
  const source = m.source_smsc || m.source_type;
  const peers = [source, "here"];
  for (const s of steps) if (["attempt", "outcome", "report"].includes(s.step) && s.link && !peers.slice(2).includes(s.link)) peers.push(s.link);
  // A message may go back over the link it came by: then the peer has two
  // columns, since the way out is another one.
  const columns = peers.map((p, i) => (i < 2 ? "\u0000" + p : p));
  if (!steps.length) return h("p", {}, "No step was kept.");
  const el = h("ol", { class: "ladder" });
  el.style.setProperty("--peers", peers.length);
  el.append(h("li", { class: "ladder-head", "aria-hidden": "true" }, h("span", {}, ""), peers.map((p) => h("span", {}, plain(p, 24)))));
  for (const s of steps) {
    const [a, b] = place(s, columns, source);
    const [low, high] = [Math.min(a, b), Math.max(a, b)];
    const tone = s.step === "finished" ? (/deliver/i.test(s.summary) ? "good" : "bad") : TONES[s.result];
    const hop = h("div", { class: ["hop", a === b ? "own" : "move " + (b > a ? "right" : "left"), tone && "tone-" + tone].filter(Boolean).join(" ") },
      h("span", {}, h("b", {}, s.result ?? s.step), " ", s.summary ? plain(s.summary, 160) : "", h("span", { class: "sr" }, a === b ? "" : ` from ${peers[a]} to ${peers[b]}`)));
    // An own step may be wider than its column; an arrow ends on two life lines.
    hop.style.gridColumn = a === b ? `${Math.max(low + 1, 2)} / ${Math.min(high + 4, peers.length + 2)}` : `${low + 2} / ${high + 3}`;
    if (a !== b) hop.style.setProperty("--inset", 50 / (high - low + 1) + "%");
    const lines = peers.map((_, i) => { const l = h("span", { class: "lifeline", "aria-hidden": "true" }); l.style.gridColumn = i + 2; return l; });
    el.append(h("li", { class: "rung" }, h("span", { class: "at" }, clock(s.at, true), h("br", {}), "+" + number(s.after_ms) + " ms"), lines, hop));
  }
  return el;
}

function asText(m, steps) {
  return [`message ${m.id}  ${m.source_msisdn} -> ${m.destination_msisdn}  ${m.status}`, ...steps.map((s) => [s.at, ("+" + s.after_ms + " ms").padStart(10), s.step.padEnd(9), (s.link ?? "").padEnd(12), [s.result, s.summary].filter(Boolean).join(": ")].join("  "))].join("\n");
}
