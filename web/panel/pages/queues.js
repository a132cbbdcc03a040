// Queues: what waits where, those nobody polls on top.
import { h, put, plain } from "../dom.js";
import { ask, get, may, offers, query, session } from "../api.js";
import { badge, confirm, empty, head, note, table, trouble } from "../ui.js";
import { age, number, span } from "../format.js";

export default async function queues(page) {
  const rows = h("div", {});
  const load = async () => {
    const { data } = await get("/api/queues", {}, page.signal);
    const orphan = (q) => !q.declared && !q.pollers && q.waiting > 0;
    data.sort((a, b) => orphan(b) - orphan(a) || b.waiting - a.waiting);
    put(rows, data.length ? table([
      { label: "queue", cell: (q) => h("a", { href: "/messages" + query({ dest_smsc: q.name, status: "queued,scheduled,retrying,sending" }) }, plain(q.name || "open to any poller")) },
      { label: "declared", cell: (q) => (q.declared ? q.kind ?? "yes" : badge(orphan(q) ? "down" : "idle", "no link of this name is declared")) },
      { label: "account", cell: (q) => plain(q.account ?? "-") }, { label: "waiting", num: true, cell: (q) => number(q.waiting) }, { label: "leased", num: true, cell: (q) => number(q.leased) },
      { label: "oldest", num: true, cell: (q) => (q.waiting ? span(q.oldest_seconds) : "-") }, { label: "last poll", num: true, cell: (q) => (q.last_poll_at ? age(q.last_poll_at) : orphan(q) ? "nobody polls" : "-") }, { label: "pollers", num: true, cell: (q) => number(q.pollers) },
      may("admin") && offers("POST", "/api/links") && { label: "acts", cell: (q) => !q.declared && q.name && h("button", { type: "button", class: "button tiny", onclick: () => confirm(`Declare ${q.name}`, "It becomes a poll link of this name; what waits stays.", "Declare", async () => { await ask("POST", "/api/links", { body: { name: q.name, kind: "poll", account: q.account ?? session.me.account } }); note("Declared."); load(); }) }, "Declare") },
    ], data, { label: "Queues", rowKey: (q) => q.name }) : empty("Nothing waits."));
  };
  put(page.root, head("Queues"), rows);
  await load();
  page.every(3000, () => load().catch((e) => e.name === "AbortError" || put(rows, trouble(e, page.again))));
}
