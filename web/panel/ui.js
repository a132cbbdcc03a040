// The furniture that pages share: heads, badges, tables, dialogs, forms, acts
// with their undo, and the notes that appear at the foot.
import { h, put, plain, block, icon } from "./dom.js";
import { ask, curl, Problem } from "./api.js";
import { changes } from "./diff.js";
import * as words from "./words.js";

// head is the top of a page: its only h1, and what can be done here.
export function head(title, ...acts) {
  return h("div", { class: "head" }, h("h1", { tabindex: "-1" }, title), h("div", { class: "acts" }, acts));
}

// badge says a status by shape, colour and word.
export function badge(word, note) {
  const [shape, tone, meaning] = words.status[word] ?? ["·", "calm", ""];
  return h("span", { class: "badge " + tone, title: note ?? meaning }, h("span", { class: "shape", "aria-hidden": "true" }, shape), word);
}

export function button(label, act, { tone = "", title, type = "button" } = {}) {
  return h("button", { type, class: "button " + tone, title, onclick: act }, label);
}

export function empty(title, ...more) {
  return h("div", { class: "empty" }, h("p", { class: "empty-title" }, title), ...more.map((m) => (m instanceof Node ? m : h("p", {}, m))));
}

// shape stands where rows will be, when they take more than a moment.
export function skeleton() {
  return h("div", { class: "skeleton", "aria-busy": "true" }, h("span", { class: "sr" }, "Loading"), [0, 1, 2, 3].map(() => h("div", {})));
}

// trouble shows why something failed, with a way to try again.
export function trouble(e, retry) {
  return h("div", { class: "trouble", role: "alert" },
    h("p", {}, h("strong", {}, e.status === 403 ? "Not yours to see. " : "That did not work. "), plain(e.message)),
    e instanceof Problem && (e.code || e.requestID) && h("p", { class: "small" },
      e.code && e.status ? ["Code ", h("a", { href: "/api/problems/" + encodeURIComponent(e.code), target: "_blank", rel: "noopener" }, e.code), " "] : null,
      e.requestID && ["request ", h("code", {}, e.requestID), " ", copier(() => e.requestID, "Copy", "tiny quiet")]),
    retry && button("Retry", retry));
}

// table lays out rows. A column is {label, cell(row), num, sort(row), wide, help, top, minor, bare}; help says
// what its figures count, top stands in the head instead of the label. On a narrow screen each row becomes a
// card whose lines are named by their columns; it leaves out what is minor, and what is bare needs no name; cards lays a message out in three lines.
export function table(columns, rows, { label, open, rowKey, mark, sort, onSort, cards } = {}) {
  const cols = columns.filter(Boolean);
  const headCells = cols.map((c, i) => {
    if (!c.sort || !onSort) return h("th", { scope: "col", class: c.num ? "num" : null, title: c.help }, c.top ?? c.label, c.help && h("span", { class: "sr" }, ": " + c.help));
    const on = sort?.by === i;
    return h("th", { scope: "col", class: c.num ? "num" : null, "aria-sort": on ? (sort.down ? "descending" : "ascending") : null },
      h("button", { type: "button", class: "sort", title: c.help, onclick: () => onSort({ by: i, down: on ? !sort.down : Boolean(c.num) }) }, c.label,
        h("span", { "aria-hidden": "true" }, on ? (sort.down ? " ↓" : " ↑") : "")));
  });
  const sorted = sort && cols[sort.by]?.sort ? [...rows].sort((a, b) => order(cols[sort.by].sort(a), cols[sort.by].sort(b)) * (sort.down ? -1 : 1)) : rows;
  return h("div", { class: "scroll", role: "region", "aria-label": label, tabindex: "0" },
    h("table", { class: cards ? "cards" : null },
      h("thead", {}, h("tr", {}, headCells)),
      h("tbody", {}, sorted.map((row) => h("tr", { dataset: { key: rowKey ? String(rowKey(row)) : "" }, class: [open && "opens", mark?.(row)].filter(Boolean).join(" ") || null,
        onclick: open && ((e) => { if (!e.target.closest("a,button,input,label,select")) open(row); }) },
      cols.map((c) => h("td", { class: [c.num && "num", c.wide && "wide"].filter(Boolean).join(" ") || null, dataset: { label: c.label, ...(c.minor ? { minor: "" } : {}), ...(c.bare ? { bare: "" } : {}) } }, h("span", { class: "cell" }, c.cell(row)))))))));
}

function order(a, b) {
  if (a === b) return 0;
  if (a === null || a === undefined) return -1;
  return typeof a === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });
}

// facts is a list of names and values.
export function facts(pairs) {
  return h("dl", { class: "facts" }, pairs.filter((p) => p && p[1] !== undefined && p[1] !== null && p[1] !== false && p[1] !== "").map(([name, value]) =>
    h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

export function panel(title, ...content) {
  return h("section", { class: "panel" }, title && h("h2", {}, title), content);
}

let notes;

// note says for a while what happened; undo takes it back.
export function note(text, undo) {
  notes ??= document.body.appendChild(h("div", { class: "notes", role: "status" }));
  const line = h("div", { class: "note" }, h("span", {}, text));
  const end = () => { clearTimeout(timer); line.remove(); };
  if (undo) line.append(button("Undo", async () => { end(); try { await undo(); note("Undone."); } catch (e) { note("Not undone: " + e.message); } }));
  line.append(h("button", { type: "button", class: "plain", "aria-label": "Close this note", onclick: end }, icon("close")));
  notes.append(line);
  const timer = setTimeout(end, 10000);
}

// dialog opens a box over the page; the focus returns when it closes.
export function dialog(title, build) {
  const back = document.activeElement;
  const box = h("dialog", { "aria-labelledby": "dialog-title" });
  const close = () => { box.close(); };
  box.addEventListener("close", () => { box.remove(); back?.isConnected && back.focus(); });
  box.append(h("div", { class: "dialog-head" }, h("h2", { id: "dialog-title" }, title),
    h("button", { type: "button", class: "plain", "aria-label": "Close", onclick: close }, icon("close"))));
  box.append(build(close));
  document.body.append(box);
  box.showModal();
  return close;
}

// confirm says what will happen before it does. typed is the name to type.
export function confirm(title, text, label, act, { typed, command, shell, fields = [] } = {}) {
  dialog(title, (close) => form([...fields, typed && { name: "typed", label: `Type ${typed} to go on`, required: true }].filter(Boolean), {
    intro: text, submit: label, command, shell, close,
    send: async (values) => {
      if (typed && values.typed !== typed) throw new Problem(422, { detail: "The name is not the same.", errors: [{ location: "body.typed", message: "must be " + typed }] });
      delete values.typed;
      await act(values);
    },
  }));
}

let serial = 0;

// form builds labelled fields, shows faults beside the field they name, and
// can be had as a command. A field is {name, label, type, options, value,
// help, required}; type: text number check select area list. command is the request as [method, path, body],
// shell the same as a line of the program.
export function form(fields, { intro, submit = "Save", send, command, shell, close, watch, extra }) {
  const inputs = new Map();
  const says = h("div", { class: "form-error", role: "alert" });
  const rows = fields.map((f) => {
    const id = "f" + ++serial;
    const input = control(f, id);
    const fault = h("span", { class: "fault", id: id + "e" });
    inputs.set(f.name, { f, input, fault });
    if (watch) input.addEventListener("input", () => watch(values(), el));
    const helpID = f.help ? id + "h" : null;
    input.setAttribute("aria-describedby", [helpID, id + "e"].filter(Boolean).join(" "));
    if (f.type === "check") return h("div", { class: "field check" }, input, h("label", { for: id }, f.label), f.help && h("span", { class: "help", id: helpID }, f.help), fault);
    return h("div", { class: "field " + (f.type ?? "text") }, h("label", { for: id }, f.label), input, f.help && h("span", { class: "help", id: helpID }, f.help), fault);
  });
  const values = () => {
    const out = {};
    for (const [name, { f, input }] of inputs) out[name] = valueOf(f, input);
    return out;
  };
  const fail = (e) => {
    const left = [];
    for (const err of e.errors ?? []) {
      const name = String(err.location ?? "").replace(/^(body|query)\./, "").split(/[.[]/)[0];
      const at = inputs.get(name);
      if (!at) { left.push((err.location ?? "") + ": " + err.message); continue; }
      at.fault.textContent = err.message;
      at.input.setAttribute("aria-invalid", "true");
    }
    put(says, trouble({ ...e, message: [e.message, ...left].join("\n"), status: e.status, code: e.code, requestID: e.requestID }));
    (el.querySelector("[aria-invalid=true]") ?? says).focus?.();
  };
  const go = button(submit, null, { tone: "primary", type: "submit" });
  const el = h("form", { novalidate: true, onsubmit: async (event) => {
    event.preventDefault();
    put(says);
    for (const { input, fault } of inputs.values()) { fault.textContent = ""; input.removeAttribute("aria-invalid"); }
    go.disabled = true;
    try {
      await send(values());
      close?.();
    } catch (e) {
      if (e.name !== "AbortError") fail(e);
    } finally {
      go.disabled = false;
    }
  } }, intro && h("p", { class: "intro" }, intro), rows, extra, says,
  h("div", { class: "form-acts" }, go, close && button("Cancel", close),
    command && copier(() => { const c = command(values()); return typeof c === "string" ? c : curl(...c); }, "Copy as curl"),
    shell && copier(() => shell(values()), "Copy as smsc")));
  el.addEventListener("keydown", (e) => { if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) { e.preventDefault(); el.requestSubmit(); } });
  el.values = values;
  el.input = (name) => inputs.get(name)?.input;
  return el;
}

function control(f, id) {
  const common = { id, name: f.name, "aria-required": f.required ? "true" : null, autocomplete: "off", spellcheck: "false" };
  switch (f.type) {
    case "select": {
      const el = h("select", common, f.options.map((o) => { const [v, text] = Array.isArray(o) ? o : [o, o]; return h("option", { value: v }, text); }));
      el.value = f.value ?? (Array.isArray(f.options[0]) ? f.options[0][0] : f.options[0]);
      return el;
    }
    case "check": {
      const el = h("input", { ...common, type: "checkbox" });
      el.checked = Boolean(f.value);
      return el;
    }
    case "area": return h("textarea", { ...common, rows: f.rows ?? 4, value: f.value ?? "" });
    case "list": return h("textarea", { ...common, rows: 2, value: (f.value ?? []).join("\n") });
    case "number": return h("input", { ...common, type: "number", inputmode: "numeric", value: f.value ?? "" });
    default: {
      const el = h("input", { ...common, type: "text", value: f.value ?? "", list: f.options ? id + "l" : null });
      if (f.options) el.addEventListener("focus", () => { if (!document.getElementById(id + "l")) el.after(h("datalist", { id: id + "l" }, f.options.map((o) => h("option", { value: o })))); }, { once: true });
      return el;
    }
  }
}

function valueOf(f, input) {
  if (f.type === "check") return input.checked;
  if (f.type === "list") return input.value.split(/[\n,]/).map((s) => s.trim()).filter(Boolean);
  if (f.type === "number") return input.value === "" ? (f.blank ?? null) : Number(input.value);
  return f.trim === false ? input.value : input.value.trim();
}

// copier copies a text that is made when it is asked for.
export function copier(make, label, tone = "quiet") {
  const el = button(label, async () => {
    const text = make();
    try {
      await navigator.clipboard.writeText(text);
      note("Copied.");
    } catch {
      dialog("Copy this", () => h("textarea", { class: "mono", rows: 5, readonly: true, "aria-label": "Text to copy", value: text }));
    }
  }, { tone });
  return el;
}

// save writes with If-Match; where another one was faster it shows both
// versions and overwrites nothing.
export async function save(method, path, body, etag, reread) {
  try {
    return await ask(method, path, { body, etag });
  } catch (e) {
    if (e.status !== 412 || !reread) throw e;
    return new Promise((resolve, reject) => conflict(method, path, body, reread, resolve, reject));
  }
}

// KEPT_BY_US is what nobody writes, and so what no two people can differ in.
const KEPT_BY_US = ["state", "created_at", "updated_at", "hits", "last_hit"];

async function conflict(method, path, body, reread, resolve, reject) {
  let theirs;
  try {
    theirs = await reread();
  } catch (e) {
    return reject(e);
  }
  let done = false;
  const text = (v) => JSON.stringify(v, (k, x) => (KEPT_BY_US.includes(k) ? undefined : x), 2);
  const box = (title, v) => h("div", {}, h("h3", {}, title), h("pre", { class: "mono", tabindex: "0" }, block(text(v))));
  const mine = Array.isArray(theirs.data) ? body : { ...theirs.data, ...body };
  dialog("Somebody changed this meanwhile", (close) => {
    const el = h("div", {}, h("p", {}, "Nothing was overwritten. Look at both, then decide."),
      h("div", { class: "two" }, box("On the server now", theirs.data), box("Yours", body)),
      !Array.isArray(theirs.data) && [h("h3", {}, "What yours would change"), changes(text(theirs.data), text(mine))],
      h("div", { class: "form-acts" },
        button("Save mine over it", async () => { done = true; close(); save(method, path, body, theirs.etag, reread).then(resolve, reject); }, { tone: "primary" }),
        button("Keep theirs", () => close())));
    queueMicrotask(() => { el.closest("dialog").classList.add("broad"); });
    queueMicrotask(() => el.closest("dialog").addEventListener("close", () => done || reject(new Problem(412, { detail: "Not saved: the version on the server was kept.", code: "stale" }))));
    return el;
  });
}
