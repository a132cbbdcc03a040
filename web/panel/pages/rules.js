// Rules: message processing rules in the order they run.
import { h, put, plain } from "../dom.js";
import { ask, get, may, offers, session } from "../api.js";
import { badge, button, confirm, dialog, empty, form, head, note, save, table } from "../ui.js";
import { number } from "../format.js";

const at = (r) => `/api/rules/${encodeURIComponent(r.account ?? "operator")}/${encodeURIComponent(r.name)}`;

export default async function rules(page) {
  const read = await get("/api/rules", {}, page.signal);
  const shown = read.data.filter((r) => !session.account || (r.account ?? "operator") === session.account);
  const edits = may("admin") && offers("POST", "/api/rules");
  put(page.root, head("Rules", edits && h("button", { type: "button", class: "button primary", "data-key": "n", onclick: () => edit(page, read) }, "New rule")),
    shown.length ? table([
      { label: "priority", num: true, cell: (r) => number(r.priority) }, { label: "name", cell: (r) => h("b", {}, plain(r.name)) }, { label: "account", cell: (r) => plain(r.account ?? "operator") },
      { label: "rule", wide: true, cell: (r) => h("code", {}, plain(JSON.stringify(Object.fromEntries(Object.entries(r).filter(([k]) => !["name", "account", "priority", "hits", "last_hit", "enabled", "created_at", "updated_at"].includes(k)))), 200)) },
      read.data.some((r) => r.hits !== undefined) && { label: "hits", num: true, cell: (r) => (r.hits ? number(r.hits) : "never") }, { label: "state", cell: (r) => badge(r.enabled === false ? "disabled" : "enabled") },
      edits && { label: "acts", cell: (r) => h("span", { class: "group" }, h("button", { type: "button", class: "button tiny", "aria-label": "Edit " + r.name, onclick: () => edit(page, read, r) }, "Edit"), h("button", { type: "button", class: "button tiny danger", "aria-label": "Delete " + r.name, onclick: () => remove(page, r) }, "Delete")) },
    ], shown, { label: "Rules in the order they run", rowKey: (r) => r.name }) : empty("No rules.", "A rule looks at each message before it is routed, and may change, drop or redirect it."));
}

function remove(page, r) {
  confirm(`Delete rule ${r.name}`, "Messages are no longer changed by it.", "Delete", async () => { await ask("DELETE", at(r)); note(`${r.name} is deleted.`); page.again(); }, { command: () => ["DELETE", at(r)] });
}

function edit(page, read, r) {
  const { hits, last_hit, ...body } = r ?? { name: "", priority: 100, when: { called: "49" }, then: { drop: true } };
  const parse = (text) => { try { return JSON.parse(text); } catch (e) { throw Object.assign(new Error("This is not JSON."), { errors: [{ location: "body.rule", message: e.message }] }); } };
  const [method, path] = r ? ["PUT", at(r)] : ["POST", "/api/rules"];
  dialog(r ? "Rule " + r.name : "New rule", (close) => form([{ name: "rule", label: "Rule", type: "area", rows: 14, trim: false, value: JSON.stringify(body, null, 2) }], {
    close, submit: "Save", command: (v) => [method, path, parse(v.rule)],
    send: async (v) => { await save(method, path, parse(v.rule), read.etag, () => get(r ? path : "/api/rules")); note("Saved."); page.again(); },
  }));
}
