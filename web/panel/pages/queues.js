// Queues: what waits where, those nobody polls on top.
import { h, put, plain } from "../dom.js";
import { ask, curl, get, may, offers, query, session } from "../api.js";
import { badge, confirm, copier, empty, head, note, table, trouble } from "../ui.js";
import { age, number, span } from "../format.js";

const WAITS = "queued,scheduled,retrying,sending";

// orphan: something waits, nobody declared the queue and nobody asks.
const orphan = (q) => q.waiting > 0 && !q.pollers && (!q.declared || q.kind === "poll");

export default async function queues(page) {
  const rows = h("div", {});
  const load = async () => {
    const [{ data }, links] = await Promise.all([get("/api/queues", { account: session.account }, page.signal), offers("GET", "/api/links") ? get("/api/links", {}, page.signal) : { data: [] }]);
    if (rows.contains(document.activeElement) && document.activeElement.matches("button")) return; // rows stay under a hand
    const rates = new Map(links.data.map((l) => [l.name, l.state?.rate]));
    data.sort((a, b) => orphan(b) - orphan(a) || b.waiting - a.waiting || a.name.localeCompare(b.name));
    put(rows, data.length ? list(data, rates, load) : empty("Nothing waits.", "A queue is where messages for a link or a poller wait for their turn."));
  };
  put(page.root, head("Queues", copier(() => curl("GET", "/api/queues"), "Copy as curl")), rows);
  await load();
  page.every(3000, () => load().catch((e) => e.name === "AbortError" || put(rows, trouble(e, page.again))));
}

function list(data, rates, load) {
  const rate = (q, way) => (q.declared ? number(rates.get(q.name)?.[way]) : "-");
  return table([
    { label: "queue", cell: (q) => h("a", { href: "/messages" + query({ dest_smsc: q.name, status: WAITS }) }, plain(q.name || "open to any poller")) },
    { label: "declared", cell: (q) => (q.declared ? q.kind ?? "yes" : h("span", { class: "tag", title: "no link of this name is declared" }, "implicit")) },
    { label: "account", cell: (q) => plain(q.account ?? "-") },
    { label: "waiting", num: true, help: "Messages for it without an end, now", cell: (q) => number(q.waiting) },
    { label: "leased", num: true, help: "Given to a poller or on a link at this moment", cell: (q) => number(q.leased) },
    { label: "oldest", num: true, help: "How long ago the oldest due one became due", cell: (q) => (q.waiting ? span(q.oldest_seconds) : "-") },
    { label: "in/s", num: true, help: "Messages that came over the link of this name, a second", cell: (q) => rate(q, "in") },
    { label: "out/s", num: true, help: "Messages that left over the link of this name, a second", cell: (q) => rate(q, "out") },
    { label: "last poll", cell: (q) => (q.last_poll_at ? [age(q.last_poll_at), " ago"] : orphan(q) ? badge("unpolled") : "-") },
    { label: "pollers", num: true, help: "Different askers in the last minute", cell: (q) => number(q.pollers) },
    may("admin") && offers("POST", "/api/links") && { label: "acts", cell: (q) => (!q.declared && q.name ? h("button", { type: "button", class: "button tiny", "aria-label": "Declare " + q.name, onclick: () => declare(q, load) }, "Declare") : "-") },
  ], data, { label: "Queues", rowKey: (q) => q.name });
}

function declare(q, load) {
  const body = { name: q.name, kind: "poll", account: q.account ?? session.me.account };
  confirm(`Declare ${q.name}`, "It becomes a poll link of this name; what waits stays.", "Declare", async () => {
    await ask("POST", "/api/links", { body });
    note(`${q.name} is declared.`, async () => { await ask("DELETE", "/api/links/" + encodeURIComponent(q.name)); load(); });
    document.activeElement?.blur?.();
    load();
  }, { command: () => ["POST", "/api/links", body] });
}
