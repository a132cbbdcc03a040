// Logs: the last lines of the server, live.
import { h, put, plain } from "../dom.js";
import { get, query } from "../api.js";
import { button, copier, empty, head, trouble } from "../ui.js";
import { clock } from "../format.js";

export default async function logs(page) {
  const [level, q] = [page.query.get("level") ?? "", page.query.get("q") ?? ""];
  const box = h("div", { class: "loglines", tabindex: "0", role: "log", "aria-label": "Log lines", "aria-live": "off" });
  let held = false;
  let lines = [];
  const load = async () => {
    if (held) return;
    const { data } = await get("/api/logs", { level, q }, page.signal);
    lines = Array.isArray(data) ? data : (data.lines ?? []);
    const end = box.scrollTop + box.clientHeight >= box.scrollHeight - 8;
    put(box, lines.length ? lines.map(line) : empty("No line matches."));
    if (end) box.scrollTop = box.scrollHeight;
  };
  const hold = button("Pause", () => { held = !held; hold.textContent = held ? "Go on" : "Pause"; hold.setAttribute("aria-pressed", String(held)); });
  put(page.root, head("Logs", hold, copier(() => lines.map(asText).join("\n"), "Copy")),
    h("form", { class: "filters", "aria-label": "Filters", onsubmit: (e) => { e.preventDefault(); page.go("/logs" + query(Object.fromEntries(new FormData(e.target)))); } },
      h("label", {}, "Level", h("select", { name: "level", value: level }, ["", "debug", "info", "warn", "error"].map((l) => { const o = h("option", { value: l }, l || "any"); o.selected = l === level; return o; }))),
      h("label", { class: "wide" }, "Text, link or message", h("input", { name: "q", value: q })), h("button", { class: "button", type: "submit" }, "Filter")), box);
  await load();
  box.scrollTop = box.scrollHeight;
  page.every(2000, () => load().catch((e) => e.name === "AbortError" || put(box, trouble(e))));
}

const asText = (l) => (typeof l === "string" ? l : JSON.stringify(l));

function line(l) {
  if (typeof l === "string") return h("p", {}, plain(l));
  const { time, at, level, message, text, msg, ...rest } = l;
  const extra = Object.entries(rest).map(([k, v]) => ` ${k}=${typeof v === "object" ? JSON.stringify(v) : v}`).join("");
  const id = typeof msg === "number" || /^\d{6,}$/.test(msg ?? "") ? msg : null;
  return h("p", { class: level }, (time ?? at) ? clock(time ?? at, true) + " " : "", h("b", {}, (level ?? "").padEnd(5)), " ", plain(message ?? text ?? (id ? "" : msg) ?? ""), id && [" ", h("a", { href: "/messages/" + id }, String(id))], plain(extra));
}
