// Logs: the last lines of the server, live.
import { h, put, plain } from "../dom.js";
import { curl, get, query } from "../api.js";
import { button, copier, empty, head, trouble } from "../ui.js";
import { clock } from "../format.js";
import { live, onEvent } from "../live.js";

export default async function logs(page) {
  const [level, q] = [page.query.get("level") ?? "", page.query.get("q") ?? ""];
  const box = h("div", { class: "loglines", tabindex: "0", role: "log", "aria-label": "Log lines", "aria-live": "off" });
  const none = h("div", {});
  let held = false;
  let lines = [];
  let stale = false; // there is something that is not drawn
  const load = async () => {
    stale = false;
    const { data } = await get("/api/logs", { level, q }, page.signal);
    lines = data;
    const end = box.scrollTop + box.clientHeight >= box.scrollHeight - 8;
    box.hidden = !lines.length;
    put(none, !lines.length && empty("No line matches.", level || q ? h("a", { class: "button", href: "/logs" }, "Show every line") : "Lines appear here as they are written."));
    put(box, lines.map(line));
    if (end) box.scrollTop = box.scrollHeight;
  };
  onEvent((kind) => { stale ||= kind === "log"; }, page.signal, ["log"]);
  const hold = button("Pause", () => { held = !held; hold.textContent = held ? "Go on" : "Pause"; hold.setAttribute("aria-pressed", String(held)); });
  put(page.root, head("Logs", hold, copier(() => lines.map(asText).join("\n"), "Copy"), button("Download", () => download(lines)), copier(() => curl("GET", "/api/logs" + query({ level, q })), "Copy as curl")),
    h("form", { class: "filters", "aria-label": "Filters", onsubmit: (e) => { e.preventDefault(); page.go("/logs" + query(Object.fromEntries(new FormData(e.target)))); } },
      h("label", {}, "Level", h("select", { name: "level", value: level }, ["", "debug", "info", "warn", "error"].map((l) => { const o = h("option", { value: l }, l || "any"); o.selected = l === level; return o; }))),
      h("label", { class: "wide" }, "Text, link or message", h("input", { name: "q", value: q })), h("button", { class: "button", type: "submit" }, "Filter")), none, box);
  await load();
  box.scrollTop = box.scrollHeight;
  page.every(1000, () => !held && (stale || live.state !== "live") && load().catch((e) => e.name === "AbortError" || put(box, trouble(e))));
}

function download(lines) {
  const a = h("a", { href: URL.createObjectURL(new Blob(lines.map((l) => asText(l) + "\n"), { type: "application/x-ndjson" })), download: "smsc.log" });
  a.click();
  setTimeout(() => URL.revokeObjectURL(a.href), 10000);
}

const asText = (l) => (typeof l === "string" ? l : JSON.stringify(l));

function line(l) {
  if (typeof l === "string") return h("p", {}, plain(l));
  const { time, at, level, message, text, msg, line: _, ...rest } = l;
  const extra = Object.entries(rest).map(([k, v]) => ` ${k}=${typeof v === "object" ? JSON.stringify(v) : v}`).join("");
  const id = typeof msg === "number" || /^\d{6,}$/.test(msg ?? "") ? msg : null;
  return h("p", { class: level === "error" || level === "fatal" || level === "panic" ? "error" : level === "warn" ? "warn" : null }, (time ?? at) ? clock(time ?? at, true) + " " : "", h("b", {}, (level ?? "").padEnd(5)), " ", plain(message ?? text ?? (id ? "" : msg) ?? ""), id && [" ", h("a", { href: "/messages/" + id }, String(id))], plain(extra));
}
