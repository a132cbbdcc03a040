// The hands on a link: hold it, let it go, connect it anew, take it away.
import { h } from "./dom.js";
import { ask, may, offers } from "./api.js";
import { confirm, note } from "./ui.js";
import { number } from "./format.js";

export const can = (what) => may("admin") && offers("POST", "/api/links/{name}/" + what);
export const at = (name) => "/api/links/" + encodeURIComponent(name);

// quick is the one act that a row has room for.
export function quick(l, page) {
  if (l.state?.status === "paused" && can("resume")) return h("button", { type: "button", class: "button tiny", onclick: () => resume(l.name, page) }, "Resume");
  return can("pause") ? h("button", { type: "button", class: "button tiny", onclick: () => pause(l, page) }, "Pause") : "-";
}

export function pause(l, page) {
  confirm(`Pause ${l.name}`, `No new delivery starts over ${l.name}; ${number(l.state?.window.used ?? 0)} in flight finish. Routes skip it, so the next way takes over; else its messages wait. Connections stay up, and it stays paused over a restart.`, "Pause", async (v) => {
    const body = { direction: v.direction };
    if (v.for) body.for = v.for;
    await ask("POST", at(l.name) + "/pause", { body });
    note(`${l.name} is paused.`, async () => { await ask("POST", at(l.name) + "/resume"); page.again(); });
    page.again();
  }, {
    fields: [{ name: "direction", label: "What", type: "select", options: [["out", "out: start no deliveries"], ["in", "in: refuse what comes"], ["both", "both"]] }, { name: "for", label: "For how long", help: "Like 15m or 2h; empty: until someone resumes it." }],
    command: (v) => ["POST", at(l.name) + "/pause", { direction: v.direction, ...(v.for ? { for: v.for } : {}) }],
  });
}

export async function resume(name, page) {
  try {
    await ask("POST", at(name) + "/resume");
    note(`${name} goes on.`, async () => { await ask("POST", at(name) + "/pause", { body: {} }); page.again(); });
    page.again();
  } catch (e) {
    note("Not resumed: " + e.message);
  }
}

export function rebind(l, page) {
  confirm(`Rebind ${l.name}`, `${number(l.state?.window.used ?? 0)} in flight will finish first, up to 10 s; then it connects afresh. With force it ends at once, and what was in flight may be sent twice.`, "Rebind", async (v) => {
    await ask("POST", at(l.name) + "/rebind", { body: v.force ? { force: true } : {} });
    note(`${l.name} connects afresh.`);
    page.again();
  }, { fields: [{ name: "force", label: "At once, without waiting", type: "check" }], command: (v) => ["POST", at(l.name) + "/rebind", v.force ? { force: true } : {}] });
}

export function remove(l, page, etag) {
  confirm(`Delete ${l.name}`, "The link is gone for good. Messages for it wait as for an undeclared queue until they expire. One that a route or a number names is refused.", "Delete", async () => {
    await ask("DELETE", at(l.name), { etag });
    note(`${l.name} is deleted.`);
    page.go("/links");
  }, { typed: l.name, command: () => ["DELETE", at(l.name)] });
}
