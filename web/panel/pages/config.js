// Configuration: the whole of what is declared, as one text with its faults.
import { h, put, plain } from "../dom.js";
import { ask, curl, get, offers } from "../api.js";
import { button, confirm, copier, dialog, head, note, panel, table, trouble } from "../ui.js";
import { changes } from "../diff.js";
import { full, number } from "../format.js";

const YAML = "application/yaml";

export default async function config(page) {
  const revision = page.query.get("revision") ?? "";
  const [now, past] = await Promise.all([ask("GET", "/api/provision", { params: { secrets: "hide", revision }, accept: YAML, signal: page.signal }), offers("GET", "/api/provision/history") ? get("/api/provision/history", {}, page.signal) : { data: [] }]);
  const inForce = revision ? await ask("GET", "/api/provision", { params: { secrets: "hide" }, accept: YAML, signal: page.signal }) : now;
  const force = inForce.data;
  let etag = inForce.etag;
  const gutter = h("ol", { "aria-hidden": "true" });
  const text = h("textarea", { "aria-label": "The provision document", spellcheck: "false", autocomplete: "off", wrap: "off", value: now.data });
  const says = h("div", { class: "page", role: "status" });
  let faulty = new Map();
  const number_lines = () => {
    const n = text.value.split("\n").length;
    put(gutter, Array.from({ length: n }, (_, i) => h("li", { class: faulty.has(i + 1) ? "at-fault" : null, title: faulty.get(i + 1) }, String(i + 1))));
    gutter.scrollTop = text.scrollTop;
  };
  text.addEventListener("input", number_lines);
  text.addEventListener("scroll", () => { gutter.scrollTop = text.scrollTop; });
  const run = async (dry) => {
    faulty = new Map();
    try {
      const done = await ask("PUT", "/api/provision", { params: { dry_run: dry ? "true" : "" }, text: text.value, etag });
      put(says, summary(done.data), dry && panel("What differs from the one in force", changes(force, text.value)));
      if (!dry) {
        etag = done.etag ?? etag;
        note("Revision " + done.data.revision + " is in force.");
        page.go("/config");
      }
      return done.data;
    } catch (e) {
      if (e.status === 412) {
        put(says, h("div", { class: "trouble", role: "alert" }, h("p", {}, h("strong", {}, "Somebody changed the document meanwhile. "), "Nothing was overwritten. Keep a copy of yours, then read theirs."), copier(() => text.value, "Copy mine"), button("Compare", () => compare(text.value, page)), button("Read theirs", () => page.go("/config"))));
      } else put(says, faults(e, text));
      for (const f of e.errors ?? []) if (f.line) faulty.set(f.line, f.message);
      return null;
    } finally {
      number_lines();
    }
  };
  const apply = async () => {
    const change = await run(true);
    if (!change) return;
    confirm("Apply the document", ["Everything is swapped at once, or nothing is. ", ...counts(change).flatMap((c) => [c, ". "]), ...change.warnings.map((w) => w + ". ")], "Apply", () => run(false), { shell: () => "smsc export > before.yaml && smsc apply -f provision.yaml", command: () => `curl -sS -X PUT -H "X-API-Key: $SMSC_KEY" -H 'Content-Type: application/yaml' -H 'If-Match: ${etag}' --data-binary @provision.yaml '${location.origin}/api/provision'` });
  };
  put(page.root, head("Configuration", button("Check", () => run(true)), button("Apply", apply, { tone: "primary" }), button("Download", () => download(text.value)), copier(() => curl("GET", "/api/provision"), "Copy as curl"), copier(() => "smsc export", "Copy as smsc")),
    revision && h("p", { class: "stateline" }, `This is revision ${revision} of the past. Apply it to go back to it, or `, h("a", { href: "/config" }, "read the one in force"), "."),
    h("p", { class: "small" }, "Secrets read *** and stay as they are. An account that the text leaves out is closed."), says,
    h("div", { class: "source" }, gutter, text),
    past.data.length > 0 && panel("Revisions", table([
      { label: "revision", cell: (r) => h("a", { href: "/config?revision=" + r.revision }, String(r.revision)) }, { label: "when", cell: (r) => full(r.at) }, { label: "who", cell: (r) => plain(r.who) },
      { label: "changes", cell: (r) => h("button", { type: "button", class: "button tiny", "aria-label": "Show what revision " + r.revision + " changed", onclick: () => between(r.revision, past.data, page) }, "Show") },
      { label: "holds", wide: true, cell: (r) => Object.entries(r.counts).map(([k, n]) => `${number(n)} ${k}`).join(", ") },
    ], past.data, { label: "Revisions", rowKey: (r) => r.revision })));
  number_lines();
}

const at = async (revision, page) => (await ask("GET", "/api/provision", { params: { secrets: "hide", revision }, accept: YAML, signal: page.signal })).data;

// between shows what one revision changed.
async function between(revision, past, page) {
  const before = past.find((r) => r.revision < revision);
  try {
    const [a, b] = await Promise.all([before ? at(before.revision, page) : "", at(revision, page)]);
    show("Revision " + revision, before ? `Against revision ${before.revision}.` : "The oldest that is kept.", a, b);
  } catch (e) {
    dialog("Revision " + revision, () => trouble(e));
  }
}

// compare shows a text against the document that is in force now.
async function compare(mine, page) {
  try {
    show("Theirs and yours", "What applying yours would change. Nothing was overwritten.", await at("", page), mine);
  } catch (e) {
    dialog("Theirs and yours", () => trouble(e));
  }
}

function show(title, text, a, b) {
  dialog(title, () => h("div", {}, h("p", { class: "intro" }, text), changes(a, b)));
  document.querySelector("dialog:last-of-type").classList.add("broad");
}

// counts says what a change does, section by section.
function counts(change) {
  const out = [];
  for (const [section, d] of Object.entries(change.changed)) {
    for (const what of ["added", "changed", "removed"]) if (d[what].length) out.push(`${section} ${what}: ${d[what].join(", ")}`);
  }
  return out.length ? out : ["Nothing would change"];
}

function summary(change) {
  return h("div", { class: "panel", id: "change" }, h("h2", {}, change.dry_run ? "It fits together. Applying it would do this:" : "Applied."), h("ul", { class: "faults" }, counts(change).map((c) => h("li", {}, plain(c))), change.warnings.map((w) => h("li", {}, plain(w)))));
}

function faults(e, text) {
  if (!e.errors?.length) return trouble(e);
  const jump = (line) => {
    const lines = text.value.split("\n");
    const start = lines.slice(0, line - 1).reduce((n, l) => n + l.length + 1, 0);
    text.focus();
    text.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
    text.scrollTop = (line - 5) * parseFloat(getComputedStyle(text).lineHeight);
  };
  return h("div", { class: "trouble", role: "alert", id: "faults" }, h("p", {}, h("strong", {}, `${e.errors.length} fault${e.errors.length === 1 ? "" : "s"}; nothing was changed.`)),
    h("ul", { class: "faults" }, e.errors.map((f) => h("li", {}, f.line ? h("button", { type: "button", class: "button tiny", onclick: () => jump(f.line) }, "line " + f.line) : null, " ", h("code", {}, plain(f.location)), " ", plain(f.message)))));
}

function download(text) {
  const a = h("a", { href: URL.createObjectURL(new Blob([text], { type: YAML })), download: "provision.yaml" });
  a.click();
  setTimeout(() => URL.revokeObjectURL(a.href), 10000);
}
