// System: the machine and the store below the messages.
import { h, put, plain } from "../dom.js";
import { ask, curl, get, offers } from "../api.js";
import { button, copier, dialog, empty, facts, head, note, panel, table, trouble } from "../ui.js";
import { meter } from "../chart.js";
import { age, bytes, full, number, share, span } from "../format.js";

const ms = (v) => (v === null || v === undefined ? "-" : number(v) + " ms");

// filled is a bar with the figures behind it.
const filled = (used, size, unit = number) => (size > 0 ? [meter(used, size), ` ${unit(used)} of ${unit(size)} (${share(used, size)})`] : "-");

// PARTS are the boxes of the page: a title, and what it says of an answer.
const PARTS = [
  ["Process", (d) => [["Name", plain(d.name)], ["Version", `${d.version}, ${d.go}`], ["Started", [full(d.started_at), ` (up ${span(d.uptime_seconds)})`]], ["Processor", `${number(d.cpu.percent)} % of one of ${d.cpu.cores} cores`],
    ["Goroutines", number(d.goroutines)], ["Open files", filled(d.open_files.used, d.open_files.limit)], ["Clock", `${full(d.clock.now)} (the server's zone is ${d.clock.zone})`]]],
  ["Memory", (d) => [["Held", bytes(d.memory.rss_bytes)], ["Heap in use", bytes(d.memory.heap_bytes)], ["Heap kept free", bytes(d.memory.heap_idle_bytes)], ["Collections", number(d.memory.collections)]]],
  ["Disk", (d) => (d.disk ? [["Used", filled(d.disk.used_bytes, d.disk.total_bytes, bytes)], ["Free", bytes(d.disk.free_bytes)]] : [["Free", "not known"]])],
  ["Store", (d) => [["Sync p50, p99", `${ms(d.store.sync_p50_ms)}, ${ms(d.store.sync_p99_ms)}`], ["Last sync", ms(d.store.last_ms)], ["Syncs", number(d.store.syncs)], ["Messages written", number(d.store.committed)],
    ["Messages a sync", d.store.syncs > 0 ? number(d.store.committed / d.store.syncs) : "-"], ["Calls in line", number(d.store.in_line)], ["Schedule lag", ms(d.queue_lag_ms)], ["Last id", String(d.last_id)]]],
  ["Tables", (d) => [["Size", bytes(d.store.size_bytes)], ["Tables", number(d.store.tables)], ["Write-ahead log", bytes(d.store.wal_bytes)], ["In memory", bytes(d.store.memory_bytes)], ["Compactions", `${number(d.store.compactions)}, ${number(d.store.compacting)} now`], ["To compact", bytes(d.store.debt_bytes)]]],
  ["Records", (d) => [["Written", number(d.records.written)], ["In line", number(d.records.pending)], ["Last written", d.records.last_written_at ? [age(d.records.last_written_at), " ago"] : "-"], ["Database", d.records.sql ? plain(JSON.stringify(d.records.sql), 200) : "none"]]],
  ["Event stream", (d) => [["Last event", String(d.events.last_id)], ["Kept", filled(d.events.kept, d.events.ring_size)], ["Readers", number(d.events.readers)], ["Long polls and streams", number(d.events.open_waits)]]],
];

export default async function system(page) {
  const box = h("div", { class: "columns" });
  const load = async () => {
    const { data } = await get("/api/system", {}, page.signal);
    put(box, PARTS.map(([title, of]) => panel(title, facts(of(data)))));
  };
  const loud = offers("PUT", "/api/logs/level") && button("Debug log for 10 min", async () => {
    try {
      await ask("PUT", "/api/logs/level", { body: { level: "debug", for: "10m" } });
      note("The log is at debug for 10 minutes.", async () => ask("PUT", "/api/logs/level", { body: { level: "info" } }));
    } catch (e) { note("Not changed: " + e.message); }
  });
  await load();
  put(page.root, head("System", loud, offers("GET", "/api/bans") && button("Banned addresses", () => banned(page)), copier(() => curl("GET", "/api/system"), "Copy as curl")), box);
  page.every(2000, () => load().catch((e) => e.name === "AbortError" || put(box, trouble(e, page.again))));
}

// banned lists addresses turned away for guessing passwords.
async function banned(page) {
  const { data } = await get("/api/bans", {}, page.signal);
  const free = (address) => async () => { await ask("DELETE", "/api/bans/" + encodeURIComponent(address)); note(address + " may try again."); document.querySelector("dialog")?.close(); };
  dialog("Banned addresses", () => (data.length ? table([{ label: "address", cell: (b) => plain(b.address) }, { label: "until", cell: (b) => full(b.until ?? b.expires) }, { label: "acts", cell: (b) => button("Let it in", free(b.address), { tone: "tiny" }) }], data, { label: "Banned addresses" }) : empty("No address is banned.", "One that guesses SIP passwords is turned away for a while.")));
}
