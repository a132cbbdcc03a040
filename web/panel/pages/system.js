// System: the machine and the store below the messages.
import { h, put, plain } from "../dom.js";
import { ask, get, offers } from "../api.js";
import { button, facts, head, note, panel, trouble } from "../ui.js";
import { bytes, number } from "../format.js";

// value writes a figure by what its name says it counts.
function value(name, v) {
  if (typeof v === "number" && /bytes|size|memory|free|used|rss|heap/.test(name) && v > 4096) return bytes(v);
  if (typeof v === "number") return number(v);
  if (v && typeof v === "object") return h("code", {}, plain(JSON.stringify(v)));
  return plain(v ?? "-");
}

const label = (name) => name.replaceAll("_", " ");

export default async function system(page) {
  const box = h("div", { class: "two" });
  const load = async () => {
    const { data } = await get("/api/system", {}, page.signal);
    const flat = Object.entries(data).filter(([, v]) => v === null || typeof v !== "object");
    const parts = Object.entries(data).filter(([, v]) => v && typeof v === "object");
    put(box, flat.length > 0 && panel("Process", facts(flat.map(([k, v]) => [label(k), value(k, v)]))), parts.map(([k, part]) => panel(label(k), facts(Object.entries(part).map(([n, v]) => [label(n), value(k + n, v)])))));
  };
  const loud = offers("PUT", "/api/logs/level") && button("Debug log for 10 min", async () => {
    try {
      await ask("PUT", "/api/logs/level", { body: { level: "debug", for: "10m" } });
      note("The log is at debug for 10 minutes.");
    } catch (e) { note("Not changed: " + e.message); }
  });
  put(page.root, head("System", loud), box);
  await load();
  page.every(2000, () => load().catch((e) => e.name === "AbortError" || put(box, trouble(e, page.again))));
}
