// Routing: the routes in the order they are asked, and a simulator that says
// why a message goes where it goes.
import { h, put, plain } from "../dom.js";
import { ask, get, may, offers, query, session } from "../api.js";
import { badge, button, confirm, dialog, empty, form, head, note, panel, save, table, trouble } from "../ui.js";
import { number, share } from "../format.js";

const writable = () => may("admin") && offers("POST", "/api/routes");
const at = (id) => "/api/routes/" + id;

export default async function routing(page) {
  const read = () => get("/api/routes", { account: session.account }, page.signal);
  const [routes, links] = await Promise.all([read(), get("/api/links", {}, page.signal)]);
  const names = links.data.map((l) => l.name);
  const side = h("div", { class: "page" });
  put(page.root, head("Routing", writable() && h("button", { type: "button", class: "button primary", "data-key": "n", onclick: () => edit(page, routes, names) }, "New route")),
    h("div", { class: "split" }, h("div", { class: "page" }, list(page, routes, names)), side));
  put(side, simulator(page, names, routes.data));
}

const any = (v) => (v ? plain(v) : h("span", { class: "small" }, "any"));

// only says what else a message must be for a route.
function only(r) {
  const list = [r.calling_prefix && "from " + r.calling_prefix, r.source_smsc && "by " + r.source_smsc, r.source_type && "over " + r.source_type].filter(Boolean);
  return any(list.join(", "));
}

function target(r) {
  if (r.drop) return h("span", { class: "tag" }, "drop");
  if (r.auto_reply) return [h("span", { class: "tag" }, "auto reply"), " ", plain(r.auto_reply, 40)];
  return r.dest_smsc ? h("a", { href: "/links/" + encodeURIComponent(r.dest_smsc) }, plain(r.dest_smsc)) : "-";
}

// equals are the routes that share the load with r.
function equals(all, r) {
  const same = ["account", "priority", "called_prefix", "calling_prefix", "source_smsc", "source_type"];
  return all.filter((o) => o.enabled && same.every((k) => o[k] === r[k]));
}

function list(page, routes, names) {
  const all = routes.data;
  const hit = Number(page.query.get("route"));
  if (!all.length) return empty("No routes: everything without dest_smsc waits or is refused.", writable() ? button("Make the first route", () => edit(page, routes, names), { tone: "primary" }) : null);
  const change = (r, body, etag) => save("PATCH", at(r.id), body, etag, () => get(at(r.id)));
  return table([
    { label: "route", num: true, cell: (r) => String(r.id) },
    new Set(all.map((r) => r.account)).size > 1 && { label: "account", cell: (r) => r.account },
    { label: "priority", num: true, cell: (r) => String(r.priority) },
    { label: "called", cell: (r) => any(r.called_prefix) },
    { label: "only", wide: true, cell: only },
    { label: "to", cell: target },
    { label: "share", num: true, cell: (r) => (r.enabled ? share(r.weight, equals(all, r).reduce((n, o) => n + o.weight, 0)) : "-") },
    all.some((r) => r.hits !== undefined) && { label: "hits", num: true, cell: (r) => (r.hits ? number(r.hits) : "never") },
    { label: "state", cell: (r) => badge(r.enabled ? "enabled" : "disabled") },
    all.some((r) => r.description) && { label: "note", wide: true, cell: (r) => (r.description ? plain(r.description, 80) : "-") },
    writable() && { label: "acts", cell: (r) => h("span", { class: "group" },
      h("button", { type: "button", class: "button tiny", "aria-label": "Edit route " + r.id, onclick: () => edit(page, routes, names, r) }, "Edit"),
      h("button", { type: "button", class: "button tiny", "aria-label": (r.enabled ? "Disable route " : "Enable route ") + r.id, onclick: async () => {
        try {
          const done = await change(r, { enabled: !r.enabled }, routes.etag);
          note(`Route ${r.id} is ${r.enabled ? "disabled" : "enabled"}.`, async () => { await change(r, { enabled: r.enabled }, done.etag); page.again(); });
          page.again();
        } catch (e) { note("Not changed: " + e.message); }
      } }, r.enabled ? "Disable" : "Enable")) },
  ], all, { label: "Routes in the order they are asked", rowKey: (r) => r.id, mark: (r) => [!r.enabled && "muted", r.id === hit && "hit"].filter(Boolean).join(" ") });
}

function remove(page, r, etag) {
  confirm(`Delete route ${r.id}`, `Messages to ${r.called_prefix || "any number"} no longer take it; the routes after it are asked.`, "Delete", async () => {
    await ask("DELETE", at(r.id), { etag });
    const { id, hits, last_hit, ...body } = r;
    note(`Route ${r.id} is deleted.`, async () => { await ask("POST", "/api/routes", { body }); page.again(); });
    page.again();
  }, { command: () => ["DELETE", at(r.id)] });
}

function fields(names, r) {
  return [
    { name: "called_prefix", label: "Called number begins with", value: r.called_prefix, help: "+, 00 and spaces do not matter; empty: any." },
    { name: "calling_prefix", label: "Calling number begins with", value: r.calling_prefix },
    { name: "source_smsc", label: "Came by link", value: r.source_smsc, options: names, help: "Empty: any." },
    { name: "source_type", label: "Came by", type: "select", options: [["", "any"], "SIP", "IMS", "SMPP", "HTTP"], value: r.source_type ?? "" },
    { name: "dest_smsc", label: "Goes to", value: r.dest_smsc, options: names },
    { name: "priority", label: "Priority", type: "number", value: r.priority ?? 100, help: "Lower is asked first." },
    { name: "weight", label: "Weight", type: "number", value: r.weight ?? 100, help: "Share among equals." },
    { name: "auto_reply", label: "Auto reply", value: r.auto_reply, help: "Text sent back instead of forwarding." },
    { name: "drop", label: "Drop what matches", type: "check", value: r.drop },
    { name: "charged", label: "Charged", type: "select", options: ["default", "yes", "no"], value: r.charged ?? "default" },
    { name: "description", label: "Note", value: r.description },
    { name: "enabled", label: "Enabled", type: "check", value: r.enabled ?? true },
  ];
}

function edit(page, routes, names, r = {}) {
  const body = (v) => Object.fromEntries(Object.entries({ ...v, account: r.account ?? (session.account || session.me.account) }).filter(([, x]) => x !== null));
  const [method, path] = r.id ? ["PATCH", at(r.id)] : ["POST", "/api/routes"];
  dialog(r.id ? "Route " + r.id : "New route", (close) => form(fields(names, r), {
    extra: r.id && h("p", { class: "acts" }, button("Make a copy", () => { close(); edit(page, routes, names, { ...r, id: undefined }); }), button("Delete", () => { close(); remove(page, r, routes.etag); }, { tone: "danger" })),
    close, submit: "Save", command: (v) => [method, path, body(v)],
    send: async (v) => {
      const done = await save(method, path, body(v), routes.etag, () => get(r.id ? path : "/api/routes"));
      note(`Route ${done.data.id} is in force.`);
      page.go("/routing?route=" + done.data.id);
    },
  }));
}

// --- simulator ---

const ASKED = ["from", "to", "source", "text"];

function simulator(page, names) {
  const out = h("div", { "aria-live": "polite" });
  const run = async (v) => {
    page.remember(v);
    const { data } = await get("/api/routes/explain", { ...v, account: session.account }, page.signal);
    put(out, verdict(data));
  };
  const el = form([
    { name: "from", label: "From", value: page.query.get("from") ?? "" },
    { name: "to", label: "To", required: true, value: page.query.get("to") ?? "" },
    { name: "source", label: "Came by", type: "select", options: [["", "REST"], ...names], value: page.query.get("source") ?? "" },
    { name: "text", label: "Text", value: page.query.get("text") ?? "" },
  ], { submit: "Simulate", send: run, command: (v) => ["GET", "/api/routes/explain" + query({ ...v, account: session.account })] });
  if (page.query.get("to")) run(Object.fromEntries(ASKED.map((k) => [k, page.query.get(k) ?? ""]))).catch((e) => e.name === "AbortError" || put(out, trouble(e)));
  return panel("Where would it go?", h("p", { class: "intro" }, "One imaginary message against the table in force. Nothing is sent."), el, out);
}

const OUTCOMES = { forward: "goes to", local: "goes to its owner's", hold: "waits for a poller", no_route: "no route: kept for pollers, or refused", drop: "is dropped", auto_reply: "is answered", refused: "is refused" };
const SIGNS = { chosen: ["✓", "yes"], lost: ["–", "no"], no: ["✕", "no"], disabled: ["○", "no"] };

function verdict(e) {
  const line = (word, ...text) => h("li", { class: (SIGNS[word] ?? ["", "no"])[1] }, h("span", { "aria-hidden": "true" }, (SIGNS[word] ?? ["·"])[0]), h("span", {}, text));
  return h("div", { class: "verdict", id: "verdict" },
    h("p", { class: "plan" }, h("span", {}, OUTCOMES[e.outcome] ?? e.outcome), e.plan.map((p) => h("span", {}, h("a", { href: "/links/" + encodeURIComponent(p.dest_smsc) }, plain(p.dest_smsc)), p.share ? ` ${number(p.share * 100)} %` : ""))),
    h("p", { class: "small" }, `to ${e.message.to}, ${number(e.parts)} part ${e.encoding}, charged ${e.charged}`),
    h("h3", {}, "Steps"), h("ul", { class: "verdicts" }, e.steps.map((s) => line(s.verdict, s.step, ": ", s.verdict, s.why ? `, ${s.why}` : ""))),
    (e.rules ?? []).length > 0 && [h("h3", {}, "Rules"), h("ul", { class: "verdicts" }, e.rules.map((r) => line(r.verdict === "no" ? "no" : "chosen", `${r.account}/${r.name}: ${r.verdict}`, r.why ? `, ${r.why}` : "")))],
    e.considered.length > 0 && [h("h3", {}, "Routes looked at"), h("ul", { class: "verdicts" }, e.considered.map((c) => line(c.verdict, h("a", { href: "/routing?route=" + c.route }, "route " + c.route), ` ${c.target ?? ""}: ${c.verdict}`, c.why ? `, ${c.why}` : "")))]);
}
