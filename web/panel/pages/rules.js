// Rules: message processing rules in the order they run, an editor that checks
// as one types, and a trial against a message or the newest that passed.
import { h, put, plain } from "../dom.js";
import { ask, curl, get, may, offers, session } from "../api.js";
import { badge, button, confirm, copier, dialog, empty, form, head, note, save, table } from "../ui.js";
import { age, number } from "../format.js";
import { simulator } from "../simulator.js";

const account = (r) => r.account ?? "operator";
const at = (r) => `/api/rules/${encodeURIComponent(account(r))}/${encodeURIComponent(r.name)}`;
const writable = () => may("admin") && offers("POST", "/api/rules");
const TRIGGERS = { temporary: "after a failed round", failure: "before it fails" };
const CHECKED = 300; // ms after the last key

export default async function rules(page) {
  const read = await get("/api/rules", {}, page.signal);
  const shown = read.data.filter((r) => !session.account || account(r) === session.account);
  const links = offers("GET", "/api/links") ? (await get("/api/links", {}, page.signal)).data.map((l) => l.name) : [];
  put(page.root, head("Rules", writable() && h("button", { type: "button", class: "button primary", "data-key": "n", onclick: () => edit(page, read) }, "New rule"), copier(() => curl("GET", "/api/rules"), "Copy as curl")),
    h("div", { class: "split" }, shown.length ? list(page, read, shown) : none(page, read), simulator(page, links)));
}

function none(page, read) {
  return empty("No rules.", "A rule looks at each message before it is routed, and may change, end or redirect it. This one refuses premium numbers:",
    h("pre", { class: "mono", tabindex: "0" }, JSON.stringify(EXAMPLE, null, 2)), writable() ? button("Start from it", () => edit(page, read)) : null);
}

const EXAMPLE = { name: "premium", priority: 100, when: { called_prefix: "4490" }, then: { reject: "barred", text: "premium numbers are closed" } };

// words says a group of conditions or actions as a person would.
function said(group) {
  return Object.entries(group ?? {}).map(([k, v]) => (v === true ? k : `${k} ${Array.isArray(v) ? v.join(" or ") : typeof v === "object" ? JSON.stringify(v) : v}`).replaceAll("_", " "));
}

const clause = (word, list, joiner) => [h("span", { class: "small" }, word, " "), list.length ? list.flatMap((t, i) => [i > 0 ? h("span", { class: "small" }, ` ${joiner} `) : null, plain(t, 120)]) : "every message"];

function list(page, read, shown) {
  return table([
    { label: "priority", num: true, help: "Lower runs first within its account", cell: (r) => number(r.priority) },
    { label: "name", cell: (r) => [h("b", {}, plain(r.name)), h("div", { class: "small" }, plain(account(r))), r.enabled === false && badge("disabled")] },
    { label: "rule", wide: true, cell: (r) => [h("div", {}, clause((r.on ?? "arrival") === "arrival" ? "when" : TRIGGERS[r.on] + ", when", said(r.when), "and")), h("div", {}, clause("then", said(r.then), ", "), r.stop ? h("span", { class: "small" }, ", and no later rule") : null)] },
    { label: "hits", num: true, help: "Messages whose conditions held since the program started, and when the last", cell: (r) => (r.hits ? [number(r.hits), r.last_hit && h("div", { class: "small" }, age(r.last_hit), " ago")] : h("span", { class: "small" }, "never")) },
    writable() && { label: "acts", cell: (r) => acts(page, read, shown, r) },
  ], shown, { label: "Rules in the order they run", rowKey: (r) => r.name, mark: (r) => (r.enabled === false ? "muted" : null) });
}

function acts(page, read, shown, r) {
  const tiny = (label, text, act, tone = "") => h("button", { type: "button", class: "button tiny " + tone, "aria-label": label, title: label, onclick: act }, text);
  const i = shown.indexOf(r);
  const near = (by) => { for (let j = i + by; shown[j]; j += by) if (shown[j].priority !== r.priority && account(shown[j]) === account(r)) return shown[j].priority + by; return Math.max(0, r.priority + 10 * by); };
  return h("span", { class: "group" }, tiny("Edit " + r.name, "Edit", () => edit(page, read, r)),
    tiny((r.enabled === false ? "Enable " : "Disable ") + r.name, r.enabled === false ? "Enable" : "Disable", () => change(page, read, r, { enabled: r.enabled === false })),
    tiny(`Run ${r.name} earlier`, "↑", () => change(page, read, r, { priority: near(-1) })), tiny(`Run ${r.name} later`, "↓", () => change(page, read, r, { priority: near(1) })),
    tiny("Delete " + r.name, "Delete", () => remove(page, read, r), "danger"));
}

// own is what its owner writes of a rule.
const own = ({ hits, last_hit, created_at, updated_at, ...r }) => r;

async function change(page, read, r, body) {
  const old = Object.fromEntries(Object.keys(body).map((k) => [k, r[k] ?? (k === "enabled" ? true : 100)]));
  try {
    const done = await save("PATCH", at(r), body, read.etag, () => get(at(r)));
    note(`${r.name}: ${Object.entries(body).map(([k, v]) => `${k} ${v}`).join(", ")}.`, async () => { await save("PATCH", at(r), old, done.etag, () => get(at(r))); page.again(); });
    page.again();
  } catch (e) { note("Not changed: " + e.message); }
}

function remove(page, read, r) {
  confirm(`Delete rule ${r.name}`, "Messages are no longer changed by it.", "Delete", async () => {
    await ask("DELETE", at(r), { etag: read.etag });
    note(`${r.name} is deleted.`, async () => { await ask("POST", "/api/rules", { body: own(r) }); page.again(); });
    page.again();
  }, { command: () => ["DELETE", at(r)] });
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch (e) {
    throw Object.assign(new Error("This is not JSON."), { errors: [{ location: "body.rule", message: e.message }] });
  }
}

function edit(page, read, r) {
  const [method, path] = r ? ["PUT", at(r)] : ["POST", "/api/rules"];
  const state = h("p", { class: "small", role: "status" }, "It is checked as you type.");
  const trial = h("div", {});
  let timer = 0;
  let asked = 0;
  const check = async (v) => {
    const mine = ++asked;
    const say = (word, text) => mine === asked && put(state, badge(word), " ", plain(text, 300));
    try {
      const body = parse(v.rule);
      if (!body.name) return say("failing", "It needs a name.");
      await ask(method, path, { body, params: { dry_run: true } });
      say("ok", [`When ${said(body.when).join(" and ") || "any message comes"}, then ${said(body.then).join(", ") || "nothing"}.`]);
    } catch (e) {
      say("failing", e.errors?.[0] ? `${String(e.errors[0].location).replace(/^body\.?/, "")} ${e.errors[0].message}` : e.message);
    }
  };
  const watch = (v) => { clearTimeout(timer); timer = setTimeout(() => check(v), CHECKED); };
  dialog(r ? "Rule " + r.name : "New rule", (close) => {
    const el = form([{ name: "rule", label: "Rule", type: "area", rows: 12, trim: false, value: JSON.stringify(r ? own(r) : { ...EXAMPLE, account: session.account || session.me.account }, null, 2), help: "Conditions stand in when, actions in then; the server names what it does not know." }], {
      close, submit: "Save", watch, command: (v) => [method, path, parse(v.rule)],
      extra: [state, offers("POST", "/api/routes/simulate") && h("p", { class: "acts" }, button("Try it on the last 100", () => attempt(trial, el, page))), trial],
      send: async (v) => { await save(method, path, parse(v.rule), read.etag, () => get(r ? path : "/api/rules")); note("Saved."); page.again(); },
    });
    return el;
  });
}

// attempt runs the rule alone over the newest messages.
async function attempt(out, el, page) {
  try {
    const rule = parse(el.values().rule);
    const { data } = await ask("POST", "/api/routes/simulate", { body: { recent: 100, rules: [rule] }, signal: page.signal });
    const hit = data.results.filter((x) => x.rules.some((s) => s.name === rule.name && s.verdict !== "no"));
    const why = (x) => x.rules.map((s) => s.why).filter(Boolean).join(", ");
    put(out, h("p", {}, h("b", {}, `${number(hit.length)} of the last ${number(data.messages)}`), " fit."), hit.length > 0 && table([{ label: "to", cell: (x) => plain(x.to) }, { label: "then", wide: true, cell: (x) => plain([x.outcome.replaceAll("_", " "), x.dest_smsc].filter(Boolean).join(" ")) }], hit.slice(0, 10), { label: "Messages that the rule fits" }),
      !hit.length && data.results[0] && h("p", { class: "small" }, "The newest does not: ", plain(why(data.results[0]) || "its conditions do not hold", 160)));
  } catch (e) {
    put(out, h("p", { class: "fault" }, plain(e.message)));
  }
}
