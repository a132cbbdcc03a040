// Records: what finished messages came to, row by row or summed up.
import { h, put, plain } from "../dom.js";
import { get, headers, query, session } from "../api.js";
import { badge, button, empty, head, note, table } from "../ui.js";
import { when, number } from "../format.js";
import * as words from "../words.js";

const NAMES = ["since", "until", "link", "status", "from", "to"];

export default async function cdrs(page) {
  const params = Object.fromEntries(NAMES.map((n) => [n, page.query.get(n)]));
  const group = page.query.get("group") ?? "";
  const { data } = await get("/api/cdrs", { ...params, group, account: session.account }, page.signal);
  const rows = Array.isArray(data) ? data : (data.rows ?? data.groups ?? []);
  const cell = (k) => (r) => (k === "status" && words.status[r[k]] ? badge(r[k]) : /_at$|^at$/.test(k) && r[k] ? when(r[k]) : typeof r[k] === "number" && k !== "id" ? number(r[k]) : k === "id" && r[k] ? h("a", { href: "/messages/" + r[k] }, String(r[k])) : plain(r[k] ?? "-", 60));
  put(page.root, head("Records", button("CSV", () => file(params, "text/csv", "records.csv")), button("NDJSON", () => file(params, "application/x-ndjson", "records.ndjson"))),
    h("form", { class: "filters", "aria-label": "Filters", onsubmit: (e) => { e.preventDefault(); page.go("/cdrs" + query(Object.fromEntries(new FormData(e.target)))); } },
      NAMES.map((n) => h("label", {}, n, h("input", { name: n, value: params[n] ?? "" }))), h("label", {}, "Sum by", h("input", { name: "group", value: group, placeholder: "link,status" })), h("button", { class: "button", type: "submit" }, "Filter")),
    rows.length ? table(Object.keys(rows[0]).slice(0, 14).map((k) => ({ label: k.replaceAll("_", " "), cell: cell(k), num: typeof rows[0][k] === "number" && k !== "id" })), rows, { label: "Records" }) : empty("No record matches.", "A record is written when a message ends."));
}

async function file(params, type, name) {
  try {
    const reply = await fetch("/api/cdrs" + query({ ...params, account: session.account }), { headers: { ...headers(), Accept: type }, credentials: "omit" });
    if (!reply.ok) throw new Error("the server answered " + reply.status);
    const a = h("a", { href: URL.createObjectURL(await reply.blob()), download: name });
    a.click();
    setTimeout(() => URL.revokeObjectURL(a.href), 10000);
  } catch (e) { note("Not saved: " + e.message); }
}
