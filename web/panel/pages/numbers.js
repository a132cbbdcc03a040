// Numbers: those we host, and where messages to them go.
import { h, put, plain, block } from "../dom.js";
import { ask, curl, get, isOperator, may, offers, query, session } from "../api.js";
import { badge, button, confirm, copier, dialog, empty, form, head, note, save, table, trouble } from "../ui.js";
import { number as figure, when } from "../format.js";

const at = (n) => "/api/numbers/" + encodeURIComponent(n);
const NEWEST = 30; // numbers of one page whose last message is looked up

export default async function numbers(page) {
  const [read, links, accounts] = await Promise.all([get("/api/numbers", { account: session.account }, page.signal), get("/api/links", {}, page.signal), offers("GET", "/api/accounts") ? get("/api/accounts", {}, page.signal) : { data: [] }]);
  const names = { links: links.data.map((l) => l.name), accounts: accounts.data.map((a) => a.name) };
  const q = page.query.get("q") ?? "";
  const digits = q.replace(/\D/g, "");
  const shown = read.data.filter((n) => !q || (digits && n.number.includes(digits)) || [n.account, n.link, n.friendly_name].some((t) => t?.includes(q)));
  const make = isOperator() && offers("POST", "/api/numbers");
  const last = new Map();
  const box = h("div", {});
  const draw = () => put(box, shown.length ? list(page, read, names, shown, last, make) : none(q));
  put(page.root, head("Numbers", make && h("button", { type: "button", class: "button primary", "data-key": "n", onclick: () => edit(page, read, names) }, "Host a number"), copier(() => curl("GET", "/api/numbers"), "Copy as curl")),
    read.data.length > 0 && h("form", { class: "filters", "aria-label": "Filters", onsubmit: (e) => { e.preventDefault(); page.go("/numbers" + query({ q: new FormData(e.target).get("q").trim() })); } }, h("label", { class: "wide" }, "Number, account or link", h("input", { name: "q", type: "search", value: q, autocomplete: "off" })), h("button", { class: "button", type: "submit" }, "Filter")), box);
  draw();
  await Promise.all(shown.slice(0, NEWEST).map((n) => get("/api/messages", { to: n.number, order: "desc", limit: 1, view: "full" }, page.signal).then((r) => last.set(n.number, r.data[0] ?? null), () => {})));
  if (!page.signal.aborted && !box.contains(document.activeElement)) draw();
}

const none = (q) => (q ? empty("No number matches.", h("a", { class: "button", href: "/numbers" }, "Show all")) : empty("No numbers are hosted here.", "A hosted number is ours: messages to it go to its owner's link or URL instead of a route."));

function leads(n) {
  if (n.link) return h("a", { href: "/links/" + encodeURIComponent(n.link) }, plain(n.link));
  return plain(n.sms_url || n.application || "-", 80);
}

function list(page, read, names, shown, last, make) {
  const edits = may("admin") && offers("PATCH", "/api/numbers/{number}");
  const newest = (n) => {
    const m = last.get(n.number);
    return m ? [h("a", { href: "/messages/" + m.id }, when(m.inserted_at)), " ", badge(m.status)] : h("a", { href: "/messages" + query({ to: n.number }), title: "Messages to " + n.number }, m === null ? "none" : "show", h("span", { class: "sr" }, " messages to " + n.number));
  };
  return table([
    { label: "number", cell: (n) => h("b", {}, plain(n.number)) },
    { label: "account", cell: (n) => h("a", { href: "/accounts/" + encodeURIComponent(n.account) }, plain(n.account)) },
    { label: "leads to", wide: true, cell: leads },
    { label: "name", cell: (n) => plain(n.friendly_name || "-") },
    { label: "last message", cell: newest },
    edits && { label: "acts", cell: (n) => h("span", { class: "group" }, h("button", { type: "button", class: "button tiny", "aria-label": "Edit " + n.number, onclick: () => edit(page, read, names, n) }, "Edit"),
      offers("POST", "/api/numbers/{number}/test") && n.sms_url && h("button", { type: "button", class: "button tiny", "aria-label": "Test the URL of " + n.number, onclick: () => test(n) }, "Test"),
      h("button", { type: "button", class: "button tiny danger", "aria-label": "Give up " + n.number, onclick: () => giveUp(page, read, n, make) }, "Give up")) },
  ], shown, { label: "Hosted numbers", rowKey: (n) => n.number });
}

function giveUp(page, read, n, make) {
  confirm(`Give up ${n.number}`, "Messages to it are routed like any other number from now on.", "Give up", async () => {
    await ask("DELETE", at(n.number), { etag: read.etag });
    const { created_at, updated_at, ...own } = n;
    note(`${n.number} is no longer hosted.`, make ? async () => { await ask("POST", "/api/numbers", { body: Object.fromEntries(Object.entries(own).filter(([, v]) => v !== "")) }); page.again(); } : undefined);
    page.again();
  }, { command: () => ["DELETE", at(n.number)] });
}

function edit(page, read, names, n) {
  const fields = [
    !n && { name: "number", label: "Number", required: true },
    { name: "account", label: "Account", type: "select", options: names.accounts.length ? names.accounts : [session.me.account], value: n?.account ?? (session.account || session.me.account), help: n ? "Another one below yours moves the number there." : undefined },
    { name: "link", label: "Link", type: "select", options: [["", "none"], ...names.links], value: n?.link ?? "" },
    { name: "sms_url", label: "SMS URL", value: n?.sms_url, help: "Asked when a message arrives, instead of a link." },
    { name: "sms_fallback_url", label: "Second URL", value: n?.sms_fallback_url, help: "Asked where the first gives no answer." },
    { name: "application", label: "Application", value: n?.application },
    { name: "friendly_name", label: "Name", value: n?.friendly_name },
  ].filter(Boolean);
  const body = (v) => Object.fromEntries(Object.entries(v).filter(([, x]) => n || x !== ""));
  const [method, path] = n ? ["PATCH", at(n.number)] : ["POST", "/api/numbers"];
  dialog(n ? n.number : "Host a number", (close) => form(fields, {
    close, submit: "Save", command: (v) => [method, path, body(v)],
    send: async (v) => { await save(method, path, body(v), read.etag, () => get(n ? path : "/api/numbers")); note("Saved."); page.again(); },
  }));
}

// test asks the URL with a sample and shows what its answer would do.
function test(n) {
  const out = h("div", { "aria-live": "polite" });
  const path = at(n.number) + "/test";
  const body = (v) => Object.fromEntries(Object.entries(v).filter(([, x]) => x));
  dialog("Test " + n.number, () => h("div", {}, form([{ name: "from", label: "From", help: "Empty: +15550000000" }, { name: "body", label: "Text", help: "Empty: Test" }], {
    intro: ["Asks ", h("code", {}, plain(n.sms_url, 120)), " once. Nothing that its answer says is done."], submit: "Ask it", command: (v) => ["POST", path, body(v)],
    send: async (v) => { const { data } = await ask("POST", path, { body: body(v) }).catch((e) => { put(out, trouble(e)); throw Object.assign(new Error(), { name: "AbortError" }); }); put(out, answer(data)); },
  }), out));
}

function answer({ request, reply, rcml, fault }) {
  return h("div", { class: "verdict" },
    h("p", {}, reply.error ? [badge("failed"), " ", plain(reply.error)] : [badge(reply.status < 300 && !fault ? "ok" : "failed"), ` ${reply.status}, ${plain(reply.content_type)}, ${figure(reply.ms)} ms`]),
    fault && h("p", { class: "fault" }, plain(fault)), h("h3", {}, "What it would do"),
    rcml?.length ? h("ul", { class: "faults" }, rcml.map((v) => h("li", {}, h("b", {}, plain(v.verb)), " ", plain(v.does), v.to && [" to ", plain(v.to)], v.text && [": ", plain(v.text, 200)]))) : h("p", { class: "small" }, "Nothing."),
    h("h3", {}, "Reply"), h("pre", { tabindex: "0" }, block(reply.body || "empty")), h("h3", {}, "Request"), h("pre", { tabindex: "0" }, block(request.method + " " + request.url + "\n\n" + Object.entries(request.form).map(([k, v]) => k + "=" + v).join("\n"))));
}
