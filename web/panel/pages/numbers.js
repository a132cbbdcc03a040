// Numbers: those we host, and where messages to them go.
import { h, put, plain, block } from "../dom.js";
import { ask, get, isOperator, may, offers, session } from "../api.js";
import { button, confirm, dialog, empty, form, head, note, save, table } from "../ui.js";

const at = (n) => "/api/numbers/" + encodeURIComponent(n);

export default async function numbers(page) {
  const [read, links, accounts] = await Promise.all([get("/api/numbers", { account: session.account }, page.signal), get("/api/links", {}, page.signal), offers("GET", "/api/accounts") ? get("/api/accounts", {}, page.signal) : { data: [] }]);
  const names = { links: links.data.map((l) => l.name), accounts: accounts.data.map((a) => a.name) };
  const edits = may("admin") && offers("PATCH", "/api/numbers/{number}");
  const make = isOperator() && offers("POST", "/api/numbers");
  put(page.root, head("Numbers", make && h("button", { type: "button", class: "button primary", "data-key": "n", onclick: () => edit(page, read, names) }, "Host a number")),
    read.data.length ? table([
      { label: "number", cell: (n) => h("b", {}, plain(n.number)) },
      { label: "account", cell: (n) => plain(n.account) },
      { label: "leads to", wide: true, cell: (n) => (n.link ? h("a", { href: "/links/" + encodeURIComponent(n.link) }, plain(n.link)) : plain(n.sms_url || n.application || "-", 80)) },
      { label: "name", cell: (n) => plain(n.friendly_name || "-") },
      { label: "messages", cell: (n) => h("a", { href: "/messages?to=" + encodeURIComponent(n.number), title: "Messages to " + n.number }, "show", h("span", { class: "sr" }, " messages to " + n.number)) },
      edits && { label: "acts", cell: (n) => h("span", { class: "group" }, h("button", { type: "button", class: "button tiny", "aria-label": "Edit " + n.number, onclick: () => edit(page, read, names, n) }, "Edit"),
        offers("POST", "/api/numbers/{number}/test") && n.sms_url && h("button", { type: "button", class: "button tiny", onclick: () => test(n) }, "Test"),
        h("button", { type: "button", class: "button tiny danger", "aria-label": "Give up " + n.number, onclick: () => confirm(`Give up ${n.number}`, "Messages to it are routed like any other number from now on.", "Give up", async () => { await ask("DELETE", at(n.number), { etag: read.etag }); note(`${n.number} is no longer hosted.`, make ? async () => { await ask("POST", "/api/numbers", { body: n }); page.again(); } : undefined); page.again(); }) }, "Give up")) },
    ], read.data, { label: "Hosted numbers", rowKey: (n) => n.number }) : empty("No numbers are hosted here.", "A hosted number is ours: messages to it go to its owner's link or URL instead of a route."));
}

function edit(page, read, names, n) {
  const fields = [
    !n && { name: "number", label: "Number", required: true },
    { name: "account", label: "Account", type: "select", options: names.accounts.length ? names.accounts : [session.me.account], value: n?.account ?? (session.account || session.me.account) },
    { name: "link", label: "Link", type: "select", options: [["", "none"], ...names.links], value: n?.link ?? "" },
    { name: "sms_url", label: "SMS URL", value: n?.sms_url, help: "Asked when a message arrives, instead of a link." },
    { name: "friendly_name", label: "Name", value: n?.friendly_name },
  ].filter(Boolean);
  const body = (v) => Object.fromEntries(Object.entries(v).filter(([, x]) => n || x !== ""));
  const [method, path] = n ? ["PATCH", at(n.number)] : ["POST", "/api/numbers"];
  dialog(n ? n.number : "Host a number", (close) => form(fields, {
    close, submit: "Save", command: (v) => [method, path, body(v)],
    send: async (v) => { await save(method, path, body(v), read.etag, () => get(n ? path : "/api/numbers")); note("Saved."); page.again(); },
  }));
}

async function test(n) {
  try {
    const { data } = await ask("POST", at(n.number) + "/test");
    dialog("Answer of " + n.number, () => h("pre", { class: "mono", tabindex: "0" }, block(JSON.stringify(data, null, 2))));
  } catch (e) {
    note("The test failed: " + e.message);
  }
}
