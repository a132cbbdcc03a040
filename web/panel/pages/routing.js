// Routing: the routes in the order they are asked, and a simulator that says
// why a message goes where it goes, also by changes that are not yet made.
import { h, put, plain } from "../dom.js";
import { ask, curl, get, may, offers, session } from "../api.js";
import { badge, button, confirm, copier, dialog, empty, form, head, note, panel, save, table, trouble } from "../ui.js";
import { age, number, share } from "../format.js";
import { simulator } from "../simulator.js";
import * as draft from "../draft.js";

const writable = () => may("admin") && offers("POST", "/api/routes");
const at = (id) => "/api/routes/" + id;

export default async function routing(page) {
  const read = () => get("/api/routes", { account: session.account }, page.signal);
  const [routes, links] = await Promise.all([read(), get("/api/links", {}, page.signal)]);
  const names = links.data.map((l) => l.name);
  const sim = simulator(page, names, draft.proposal);
  const main = h("div", { class: "page" });
  const acts = h("div", { class: "acts" });
  const house = { page, routes, names };
  const title = head("Routing");
  title.append(acts);
  house.draw = () => {
    const own = draft.drafted();
    put(acts, writable() && [
      h("button", { type: "button", class: "button", "aria-pressed": String(Boolean(own)), onclick: () => { own ? leave(house) : draft.begin(routes.data, routes.etag); house.draw(); } }, own ? "Leave the draft" : "Try changes"),
      button("Import", () => bring(house)), button("Export", () => save_file(routes.data)),
      h("button", { type: "button", class: "button primary", "data-key": "n", onclick: () => edit(house) }, "New route")], copier(() => curl("GET", "/api/routes"), "Copy as curl"), copier(() => "smsc routes list", "Copy as smsc"));
    put(main, list(house), own && pending(house));
    sim.say();
  };
  put(page.root, title, h("div", { class: "split" }, main, sim));
  house.draw();
}

const leave = (house) => { draft.discard(); house.page.again(); };

// pending lists the changes of the draft.
function pending(house) {
  const steps = draft.steps();
  const out = h("div", { role: "status" });
  const run = async (dry) => {
    try {
      await draft.save(dry);
      if (dry) return put(out, h("p", { class: "small" }, badge("ok"), " Each change fits by itself. Nothing was changed."));
      note(`${number(steps.length)} change${steps.length === 1 ? " is" : "s are"} in force.`);
      house.page.again();
    } catch (e) {
      if (e.name === "AbortError") return;
      put(out, trouble(e), e.status === 412 && h("p", {}, "Somebody changed the table meanwhile. Leave the draft to read it anew; your changes stay in this list until then."));
    }
  };
  return panel(steps.length ? `${number(steps.length)} unsaved change${steps.length === 1 ? "" : "s"}` : "A draft", steps.length ? h("ul", { class: "steps" }, steps.map((s) => h("li", {}, plain(s.says)))) : h("p", { class: "intro" }, "Edit, add, move or delete routes: nothing is in force until you save. The simulator answers by your changes."), out,
    h("div", { class: "form-acts" }, button("Check", () => run(true)), button("Save", () => run(false), { tone: "primary" }), button("Discard", () => leave(house)), steps.length > 0 && copier(() => steps.map((s) => curl(...s.request)).join("\n"), "Copy as curl")));
}

const any = (v) => (v ? plain(v) : h("span", { class: "small" }, "any"));

// only says what else a message must be for a route.
function only(r) {
  const list = [r.calling_prefix && "from " + r.calling_prefix, r.source_smsc && "by " + r.source_smsc, r.source_type && "over " + r.source_type].filter(Boolean);
  return any(list.join(", "));
}

function target(r) {
  const noted = r.description ? h("div", { class: "small" }, plain(r.description, 80)) : null;
  if (r.drop) return [h("span", { class: "tag" }, "drop"), noted];
  if (r.auto_reply) return [h("span", { class: "tag" }, "auto reply"), " ", plain(r.auto_reply, 40), noted];
  return [r.dest_smsc ? h("a", { href: "/links/" + encodeURIComponent(r.dest_smsc) }, plain(r.dest_smsc)) : "-", noted];
}

// equals are the routes that share the load with r.
function equals(all, r) {
  const same = ["account", "priority", "called_prefix", "calling_prefix", "source_smsc", "source_type"];
  return all.filter((o) => o.enabled && same.every((k) => (o[k] ?? "") === (r[k] ?? "")));
}

function list(house) {
  const all = draft.drafted()?.routes ?? house.routes.data;
  const hit = Number(house.page.query.get("route"));
  if (!all.length) return empty("No routes: everything without dest_smsc waits or is refused.", writable() ? button("Make the first route", () => edit(house), { tone: "primary" }) : null);
  const el = table([
    { label: "priority", num: true, help: "Lower is asked first; among equals the longest prefix, then the share", cell: (r) => String(r.priority) },
    { label: "route", num: true, cell: (r) => (r.id > 0 ? String(r.id) : "new") },
    new Set(all.map((r) => r.account)).size > 1 && { label: "account", cell: (r) => plain(r.account) },
    { label: "called", cell: (r) => any(r.called_prefix) },
    all.some((r) => r.calling_prefix || r.source_smsc || r.source_type) && { label: "only", wide: true, cell: only },
    { label: "to", wide: true, cell: target },
    { label: "share", num: true, help: "Of the messages that it and its equals match", cell: (r) => (r.enabled ? share(r.weight, equals(all, r).reduce((n, o) => n + o.weight, 0)) : badge("disabled")) },
    all.some((r) => r.hits !== undefined) && { label: "hits", num: true, help: "Messages it has decided since the program started, and when the last", cell: (r) => (r.hits ? [number(r.hits), r.last_hit && h("div", { class: "small" }, age(r.last_hit), " ago")] : h("span", { class: "small" }, "never")) },
    writable() && { label: "acts", cell: (r) => acts(house, all, r) },
  ], all, { label: "Routes in the order they are asked", rowKey: (r) => r.id, mark: (r) => [!r.enabled && "muted", r.id === hit && "hit"].filter(Boolean).join(" ") });
  if (writable()) draggable(el, house, all);
  return el;
}

function acts(house, all, r) {
  const tiny = (label, text, act) => h("button", { type: "button", class: "button tiny", "aria-label": label, title: label, onclick: act }, text);
  const i = all.indexOf(r);
  const near = (by) => { for (let j = i + by; all[j]; j += by) if (all[j].priority !== r.priority) return all[j].priority; return Math.max(0, r.priority + by * 10); };
  return h("span", { class: "group" },
    tiny("Edit route " + r.id, "Edit", () => edit(house, r)),
    tiny((r.enabled ? "Disable route " : "Enable route ") + r.id, r.enabled ? "Disable" : "Enable", () => change(house, r, { enabled: !r.enabled }, r.enabled ? "disabled" : "enabled")),
    tiny(`Move route ${r.id} earlier`, "↑", () => change(house, r, { priority: near(-1) }, "at priority " + near(-1))),
    tiny(`Move route ${r.id} later`, "↓", () => change(house, r, { priority: near(1) }, "at priority " + near(1))));
}

// change alters one route now, or in the draft where there is one.
async function change(house, r, body, word) {
  if (draft.drafted()) {
    draft.put({ ...r, ...body });
    return house.draw();
  }
  const old = Object.fromEntries(Object.keys(body).map((k) => [k, r[k]]));
  const send = (b, etag) => save("PATCH", at(r.id), b, etag, () => get(at(r.id)));
  try {
    const done = await send(body, house.routes.etag);
    note(`Route ${r.id} is ${word}.`, async () => { await send(old, done.etag); house.page.again(); });
    house.page.again();
  } catch (e) { note("Not changed: " + e.message); }
}

// draggable lets a row be dropped on another one to take its priority.
function draggable(el, house, all) {
  let held = null;
  el.querySelectorAll("tbody tr").forEach((row, i) => {
    row.draggable = true;
    row.addEventListener("dragstart", (e) => { held = all[i]; e.dataTransfer.effectAllowed = "move"; e.dataTransfer.setData("text/plain", String(held.id)); });
    row.addEventListener("dragover", (e) => { if (held && held !== all[i]) { e.preventDefault(); row.classList.add("over"); } });
    row.addEventListener("dragleave", () => row.classList.remove("over"));
    row.addEventListener("drop", (e) => { e.preventDefault(); const r = held; held = null; row.classList.remove("over"); if (r && r.priority !== all[i].priority) change(house, r, { priority: all[i].priority }, "at priority " + all[i].priority); });
  });
}

function remove(house, r) {
  if (draft.drafted()) {
    draft.drop(r.id);
    return house.draw();
  }
  confirm(`Delete route ${r.id}`, `Messages to ${r.called_prefix || "any number"} no longer take it; the routes after it are asked.`, "Delete", async () => {
    await ask("DELETE", at(r.id), { etag: house.routes.etag });
    note(`Route ${r.id} is deleted.`, async () => { await ask("POST", "/api/routes", { body: draft.own(r) }); house.page.again(); });
    house.page.again();
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

function edit(house, r = {}) {
  const { page, routes, names } = house;
  const own = draft.drafted();
  const body = (v) => Object.fromEntries(Object.entries({ ...v, account: r.account ?? (session.account || session.me.account) }).filter(([, x]) => x !== null));
  const [method, path] = r.id > 0 ? ["PATCH", at(r.id)] : ["POST", "/api/routes"];
  dialog(r.id ? (r.id > 0 ? "Route " + r.id : "A route of the draft") : "New route", (close) => form(fields(names, r), {
    extra: r.id && h("p", { class: "acts" }, button("Make a copy", () => { close(); edit(house, { ...r, id: undefined }); }), button("Delete", () => { close(); remove(house, r); }, { tone: "danger" })),
    intro: own && "It becomes part of your draft. Nothing is in force until you save that.",
    close, submit: own ? "Keep" : "Save", command: (v) => [method, path, body(v)],
    send: async (v) => {
      if (own) {
        await ask(method, path, { body: body(v), params: { dry_run: true } });
        draft.put({ ...r, ...body(v) });
        return house.draw();
      }
      const done = await save(method, path, body(v), routes.etag, () => get(r.id ? path : "/api/routes"));
      note(`Route ${done.data.id} is in force.`);
      page.go("/routing?route=" + done.data.id);
    },
  }));
}

// --- files ---

function save_file(routes) {
  const a = h("a", { href: URL.createObjectURL(new Blob([JSON.stringify(routes.map(draft.own), null, 2) + "\n"], { type: "application/json" })), download: "routes.json" });
  a.click();
  setTimeout(() => URL.revokeObjectURL(a.href), 10000);
}

// bring reads routes into a draft: they are looked at before they are made.
function bring(house) {
  dialog("Import routes", (close) => form([{ name: "text", label: "Routes", type: "area", rows: 10, trim: false, help: "A JSON list, as Export writes it." }], {
    intro: "They become a draft: look at them, try them in the simulator, then save.", submit: "Read", close,
    extra: h("p", {}, h("input", { type: "file", accept: ".json,application/json", "aria-label": "A file of routes", onchange: async (e) => { e.target.form.querySelector("textarea").value = await e.target.files[0].text(); } })),
    send: async (v) => {
      let listed;
      try {
        listed = JSON.parse(v.text);
      } catch (e) {
        throw Object.assign(new Error("This is not JSON."), { errors: [{ location: "body.text", message: e.message }] });
      }
      if (!Array.isArray(listed)) throw Object.assign(new Error("This is no list of routes."), { errors: [{ location: "body.text", message: "must be [{...}, ...]" }] });
      if (!draft.drafted()) draft.begin(house.routes.data, house.routes.etag);
      for (const r of listed) draft.put({ ...draft.own(r), id: undefined });
      note(`${number(listed.length)} routes are in the draft.`);
      setTimeout(house.draw);
    },
  }));
}
