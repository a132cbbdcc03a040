// Send: one test message, with a preview of what the phone will get, and its
// trace growing below.
import { h, put, plain } from "../dom.js";
import { ask, get, offers, session } from "../api.js";
import { badge, facts, form, head, panel, trouble } from "../ui.js";
import { number } from "../format.js";
import { onEvent } from "../live.js";
import { ladder } from "../ladder.js";

const KEPT = "smsc.sent";
const sent = JSON.parse(sessionStorage.getItem(KEPT) ?? "[]"); // the last ten of this tab

export default async function send(page) {
  const links = (await get("/api/links", {}, page.signal)).data.map((l) => l.name);
  const preview = h("div", { class: "page", "aria-live": "polite" }, h("p", { class: "small" }, "Type a text to see what becomes of it."));
  const result = h("div", { class: "page" });
  const past = h("div", {});
  const given = (name) => page.query.get(name) ?? "";
  let timer = 0;
  let asked = 0;
  const watch = () => { clearTimeout(timer); timer = setTimeout(show, 150); };
  const el = form([
    { name: "source_msisdn", label: "From", required: true, value: given("from") || "smsc", help: "A number, or up to 11 letters and digits." },
    { name: "destination_msisdn", label: "To", required: true, value: given("to"), help: "A number in any spelling, or a SIP address." },
    { name: "message_body", label: "Text", type: "area", rows: 5, trim: false, value: given("text") },
    { name: "dest_smsc", label: "Over", type: "select", options: [["", "whatever the routes say"], ...links], value: links.includes(given("link")) ? given("link") : "" },
    { name: "tp_dcs_character_set", label: "Alphabet", type: "select", options: [["", "GSM 7-bit if it fits, else UCS-2"], ["gsm7", "GSM 7-bit"], ["ucs2", "UCS-2"], ["latin1", "Latin-1"], ["8bit", "octets"]] },
    { name: "tp_dcs_message_class", label: "Class", type: "select", options: [["", "none"], ["0", "0: flash"], ["1", "1: phone"], ["2", "2: SIM"], ["3", "3: terminal"]] },
    { name: "udh", label: "User data header", help: "Hex with its length octet, or empty." },
    { name: "minutes", label: "Valid for, minutes", type: "number", help: "Empty: the server's default." },
    { name: "status_report", label: "Receipt", type: "select", options: [["none", "none"], ["final", "when it ends"], ["failure", "only of a failure"], ["all", "of every step"]] },
  ], {
    submit: "Send", watch,
    command: (v) => ["POST", "/api/messages", body(v)],
    shell: (v) => `smsc send --via rest --server ${location.origin} --from ${quoted(v.source_msisdn)} --to ${quoted(v.destination_msisdn)} ${quoted(v.message_body)}`,
    send: async (v) => {
      const { data } = await ask("POST", "/api/messages", { params: { view: "full", envelope: "none" }, body: body(v) });
      sent.unshift(data);
      sent.length = Math.min(sent.length, 10);
      sessionStorage.setItem(KEPT, JSON.stringify(sent.map(({ id, destination_msisdn, message_body }) => ({ id, destination_msisdn, message_body: message_body.slice(0, 80) }))));
      await follow(data.id, result, page);
      history10(past);
    },
  });
  const show = async () => {
    const v = el.values();
    const mine = ++asked;
    if (!v.message_body && !v.udh) return put(preview, h("p", { class: "small" }, "Type a text to see what becomes of it."));
    if (!offers("POST", "/api/messages/preview")) return put(preview, h("p", { class: "small" }, "This server offers no preview."));
    try {
      const look = async (params) => (await ask("POST", "/api/messages/preview", { body: body(v), params, signal: page.signal })).data;
      const data = await look();
      // What plainer letters would make of it is only an offer.
      if (data.outside_gsm7?.length) data.substitutions = (await look({ smart: true })).substitutions;
      if (mine === asked) put(preview, figures(data, v, el, show));
    } catch (e) {
      if (mine === asked && e.name !== "AbortError") put(preview, e.status === 422 || e.status === 403 ? h("p", { class: "small" }, plain(e.message)) : trouble(e));
    }
  };
  el.classList.add("sends");
  const rare = h("details", { class: "more" }, h("summary", {}, "More: link, alphabet, class, header, validity, receipt"), [...el.querySelectorAll(".field")].slice(3));
  rare.open = Boolean(given("link"));
  el.querySelector(".field.area").after(rare);
  put(page.root, head("Send a message"), h("div", { class: "two" }, panel(null, el), h("div", { class: "page" }, panel("Preview", preview), past)), result);
  history10(past);
  if (given("text")) show();
}

const quoted = (s) => "'" + String(s).replaceAll("'", `'\\''`) + "'";

// body is the request that the form means.
function body(v) {
  const b = { source_msisdn: v.source_msisdn, destination_msisdn: v.destination_msisdn, message_body: v.message_body, source_smsc: "panel" };
  if (session.account) b.account = session.account;
  if (v.dest_smsc) b.dest_smsc = v.dest_smsc;
  if (v.tp_dcs_character_set) b.tp_dcs_character_set = v.tp_dcs_character_set;
  if (v.tp_dcs_message_class !== "") { b.tp_dcs_has_message_class = true; b.tp_dcs_message_class = Number(v.tp_dcs_message_class); }
  if (v.udh) b.tp_user_data_header = { raw: v.udh.replace(/\s/g, "") };
  if (v.minutes) b.expires = new Date(Date.now() + v.minutes * 60000).toISOString();
  if (v.status_report !== "none") b.status_report = v.status_report;
  return b;
}

const UNITS = { gsm7: "septets", ucs2: "UTF-16 units" };

function figures(p, v, el, again) {
  const outside = new Set(p.outside_gsm7 ?? []);
  const swaps = p.substitutions ?? [];
  const replace = () => {
    const input = el.input("message_body");
    for (const s of swaps) input.value = input.value.replaceAll(s.from, s.to);
    again();
  };
  return [
    p.refusal && h("p", { class: "trouble" }, h("span", {}, h("strong", {}, "It would be refused: "), plain(p.refusal.detail ?? p.refusal.title ?? ""))),
    facts([["Alphabet", p.encoding], ["Parts", number(p.parts)], ["Characters", number(p.characters)], ["Units", `${number(p.units)} ${UNITS[p.encoding] ?? "octets"}, ${number(p.per_part)} a part`], ["Left in this part", number(p.remaining)],
      ["Way", p.dest_smsc ? `${p.dest_smsc}` + (p.route ? `, route ${p.route}` : "") : p.refusal ? null : "kept for any poller"], ["Cost", Number(p.cost) > 0 ? `${p.cost} ${p.cost_unit}` : null]]),
    outside.size > 0 && h("p", { class: "small" }, `${outside.size} character${outside.size === 1 ? "" : "s"} outside GSM 7-bit: `, [...v.message_body].map((c) => (outside.has(c) ? h("mark", {}, c) : c)).slice(0, 400)),
    swaps.length > 0 && h("p", {}, h("button", { type: "button", class: "button tiny", onclick: replace }, `Replace ${swaps.map((s) => s.from + " → " + s.to).join(", ")}`)),
    p.segments?.length > 1 && h("ol", { class: "partbar", "aria-label": "Parts" }, p.segments.map((s) => h("li", {}, plain(s)))),
    (p.warnings ?? []).map((w) => h("p", { class: "small" }, plain(w))),
  ];
}

function history10(el) {
  put(el, sent.length > 0 && panel("Sent from this tab", h("ul", { class: "attention" }, sent.map((m) => h("li", {}, h("a", { href: "/messages/" + m.id }, h("span", { class: "mono" }, String(m.id)), h("span", {}, plain(m.destination_msisdn, 24)), h("span", { class: "small" }, plain(m.message_body, 40))))))));
}

// follow shows the trace of a message until it has ended.
async function follow(id, el, page) {
  const draw = async () => {
    const [m, t] = await Promise.all([get("/api/messages/" + id, {}, page.signal), get(`/api/messages/${id}/trace`, {}, page.signal)]);
    put(el, panel(["Message ", h("a", { href: "/messages/" + id, class: "mono" }, String(id)), " ", badge(m.data.status)], ladder(m.data, t.data.steps)));
  };
  await draw();
  el.scrollIntoView({ block: "nearest" });
  let due = true;
  onEvent((kind, read) => { if (kind.startsWith("message.") && read().id === id) due = true; }, page.signal, ["message.*"]);
  let idle = 0;
  page.every(700, () => {
    if (sent[0]?.id !== id || (!due && ++idle % 4)) return;
    due = false;
    draw().catch(() => {});
  });
}
