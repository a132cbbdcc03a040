// Where a message would go: one imaginary message, or the newest that passed,
// against the table in force or one that is only proposed.
import { h, put, plain } from "./dom.js";
import { ask, get, offers, query, session } from "./api.js";
import { button, form, panel, table, trouble } from "./ui.js";
import { bars } from "./chart.js";
import { number } from "./format.js";

const ASKED = ["from", "to", "source", "text"];
const RECENT = 100;

// simulator draws the form. proposed gives the routes or rules that are not in
// force, as a part of a request, or null.
export function simulator(page, names, proposed = () => null) {
  const out = h("div", { "aria-live": "polite" });
  const message = (v) => Object.fromEntries(Object.entries({ ...v, account: session.account }).filter(([, x]) => x));
  const request = (v) => (proposed() ? ["POST", "/api/routes/simulate", { messages: [message(v)], ...proposed() }] : ["GET", "/api/routes/explain" + query(message(v))]);
  const run = async (v) => {
    page.remember(v);
    if (!proposed()) return put(out, verdict((await get("/api/routes/explain", message(v), page.signal)).data));
    const [method, path, body] = request(v);
    put(out, candidate((await ask(method, path, { body, signal: page.signal })).data));
  };
  const el = form([
    { name: "from", label: "From", value: page.query.get("from") ?? "" },
    { name: "to", label: "To", required: true, value: page.query.get("to") ?? "" },
    { name: "source", label: "Came by", type: "select", options: [["", "REST"], ...names], value: page.query.get("source") ?? "" },
    { name: "text", label: "Text", value: page.query.get("text") ?? "" },
  ], { submit: "Simulate", send: run, command: request, shell: (v) => `smsc routes explain --from ${word(v.from || "smsc")} --to ${word(v.to)}` });
  const many = offers("POST", "/api/routes/simulate") && button(`Try the last ${RECENT}`, async () => {
    try {
      put(out, await compare(proposed(), page.signal));
    } catch (e) {
      if (e.name !== "AbortError") put(out, trouble(e));
    }
  }, { title: "The newest messages that passed, routed anew; nothing is sent" });
  el.querySelector(".form-acts").append(many || "");
  if (page.query.get("to")) run(Object.fromEntries(ASKED.map((k) => [k, page.query.get(k) ?? ""]))).catch((e) => e.name === "AbortError" || put(out, trouble(e)));
  const says = h("p", { class: "intro" });
  const box = panel("Where would it go?", says, el, out);
  box.say = () => { says.textContent = proposed() ? "Against your changes, which are not in force. Nothing is sent." : "Against the table in force. Nothing is sent."; };
  box.say();
  return box;
}

const word = (s) => (/^[\w+@.:-]+$/.test(s) ? s : "'" + String(s).replaceAll("'", `'\\''`) + "'");

const OUTCOMES = { forward: "goes to", local: "goes to its owner's", hold: "waits for a poller", no_route: "no route: kept for pollers, or refused", drop: "is dropped", auto_reply: "is answered", refused: "is refused", reject: "is refused" };
const SIGNS = { chosen: ["✓", "yes"], lost: ["–", "no"], no: ["✕", "no"], disabled: ["○", "no"] };

function line(word, ...text) {
  const [sign, tone] = SIGNS[word] ?? ["·", "no"];
  return h("li", { class: tone }, h("span", { "aria-hidden": "true" }, sign), h("span", {}, text));
}

const rules = (list) => list?.length > 0 && [h("h3", {}, "Rules"), h("ul", { class: "verdicts" }, list.map((r) => line(r.verdict === "no" ? "no" : "chosen", `${r.account}/${r.name}: ${r.verdict}`, r.why ? `, ${r.why}` : "")))];

// verdict says why the table in force sends a message where it does.
export function verdict(e) {
  return h("div", { class: "verdict", id: "verdict" },
    h("p", { class: "plan" }, h("span", {}, OUTCOMES[e.outcome] ?? e.outcome), e.plan.map((p) => h("span", {}, h("a", { href: "/links/" + encodeURIComponent(p.dest_smsc) }, plain(p.dest_smsc)), p.share ? ` ${number(p.share * 100)} %` : ""))),
    h("p", { class: "small" }, `to ${e.message.to}, ${number(e.parts)} part${e.parts === 1 ? "" : "s"} ${e.encoding}, charged ${e.charged}`),
    rules(e.rules),
    h("h3", {}, "Steps"), h("ul", { class: "verdicts" }, e.steps.map((s) => line(s.verdict, s.step, ": ", s.verdict, s.why ? `, ${s.why}` : ""))),
    e.considered.length > 0 && [h("h3", {}, "Routes looked at"), h("ul", { class: "verdicts" }, e.considered.map((c) => line(c.verdict, h("a", { href: "/routing?route=" + c.route }, "route " + c.route), ` ${c.target ?? ""}: ${c.verdict}`, c.why ? `, ${c.why}` : "")))]);
}

// candidate says what proposed routes and rules would do with one message.
function candidate({ results: [r] }) {
  return h("div", { class: "verdict", id: "verdict" },
    h("p", { class: "plan" }, h("span", {}, OUTCOMES[r.outcome] ?? r.outcome), r.plan.map((p, i) => h("span", {}, i > 0 && "then ", h("a", { href: "/links/" + encodeURIComponent(p) }, plain(p))))),
    h("p", { class: "small" }, "With your changes. The table in force may say otherwise."), rules(r.rules));
}

// compare routes the newest messages anew, by what is in force and by what is
// proposed, and names those that would go elsewhere.
async function compare(proposed, signal) {
  const ask1 = async (more) => (await ask("POST", "/api/routes/simulate", { body: { recent: RECENT, ...more }, signal })).data;
  const [now, then] = await Promise.all([ask1({}), proposed ? ask1(proposed) : null]);
  const sums = (d) => (d.totals.length ? bars(d.totals.map((t) => [t.dest_smsc || "nowhere", t.messages])) : h("p", { class: "small" }, "None goes over a link."));
  if (!now.messages) return h("p", { class: "small" }, "No message has passed yet.");
  if (!then) return h("div", { class: "verdict" }, h("h3", {}, `The last ${number(now.messages)}, by the table in force`), sums(now));
  const way = (r) => [OUTCOMES[r.outcome] ?? r.outcome, r.dest_smsc].filter(Boolean).join(" ");
  const moved = now.results.map((r, i) => [r, then.results[i]]).filter(([a, b]) => b && (a.dest_smsc !== b.dest_smsc || a.outcome !== b.outcome));
  return h("div", { class: "verdict", id: "verdict" }, h("h3", {}, "Now"), sums(now), h("h3", {}, "With your changes"), sums(then),
    h("h3", {}, moved.length ? `${number(moved.length)} of ${number(now.messages)} would go elsewhere` : `All ${number(now.messages)} go as before`),
    moved.length > 0 && table([{ label: "to", cell: ([a]) => plain(a.to) }, { label: "now", wide: true, cell: ([a]) => plain(way(a)) }, { label: "then", wide: true, cell: ([, b]) => plain(way(b)) }], moved.slice(0, 20), { label: "Messages that would go elsewhere" }));
}
