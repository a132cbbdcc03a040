// Locations: where a subscriber is reached now.
import { h, put, plain } from "../dom.js";
import { ask, curl, get, may, offers, query, session } from "../api.js";
import { button, confirm, copier, empty, head, note, table } from "../ui.js";
import { full, number as figure } from "../format.js";

const LIMIT = 100;

export default async function locations(page) {
  const number = page.query.get("msisdn") ?? "";
  const params = { msisdn: number, account: session.account, limit: LIMIT, after: page.query.get("after") };
  const { data, headers } = await get("/api/locations", params, page.signal);
  const next = /[?&]after=([^&>]+)/.exec(headers.get("Link") ?? "")?.[1];
  const wakes = may("send") && offers("POST", "/api/locations/wake");
  const look = h("form", { class: "filters", "aria-label": "Look up", onsubmit: (e) => { e.preventDefault(); page.go("/locations" + query({ msisdn: new FormData(e.target).get("msisdn").trim() })); } },
    h("label", { class: "wide" }, "Number", h("input", { name: "msisdn", type: "search", value: number, autocomplete: "off" })), h("button", { class: "button", type: "submit" }, "Look up"), number && h("a", { class: "button quiet", href: "/locations" }, "Clear"));
  const waiting = new Map();
  const box = h("div", {});
  const draw = () => put(box, data.length ? list(page, data, wakes, waiting) : empty(number ? "Nothing is known of that number." : "No locations.", "Registrations of SIP users and IMS cores appear here, and rows that frontends write."));
  put(page.root, head("Locations", wakes && number && button("Wake its messages", () => wake(number)), copier(() => curl("GET", "/api/locations" + query(params)), "Copy as curl")), look, box,
    next && h("div", { class: "pager" }, h("span", {}, `${figure(data.length)} shown`), h("a", { class: "button", "data-key": "]", href: "/locations" + query({ msisdn: number, after: next }) }, "More")));
  draw();
  const numbers = [...new Set(data.map((l) => l.msisdn).filter(Boolean))].slice(0, 30);
  await Promise.all(numbers.map((n) => get("/api/messages", { to: n, status: "queued,scheduled,retrying", limit: LIMIT }, page.signal).then((r) => waiting.set(n, r.data.length), () => {})));
  if (!page.signal.aborted && numbers.length && !box.contains(document.activeElement)) draw();
}

function wake(msisdn) {
  const request = ["POST", "/api/locations/wake", { msisdn }];
  confirm("Wake what waits for " + msisdn, "Messages that wait for this number are tried at once instead of at their next time.", "Wake", async () => {
    const { data } = await ask(request[0], request[1], { body: request[2] });
    note(`${figure(data.woken)} woken.`);
  }, { command: () => request });
}

function list(page, data, wakes, waiting) {
  const waits = (l) => {
    const n = waiting.get(l.msisdn);
    return n === undefined ? "-" : n ? h("a", { href: "/messages" + query({ to: l.msisdn, status: "queued,scheduled,retrying" }) }, n >= LIMIT ? `${LIMIT} or more` : figure(n)) : "0";
  };
  return table([
    { label: "subscriber", cell: (l) => (l.msisdn ? h("a", { href: "/messages" + query({ to: l.msisdn }), title: "Messages to " + l.msisdn }, plain(l.msisdn)) : plain(l.imsi ?? "-")) },
    { label: "via", cell: (l) => h("a", { href: "/links/" + encodeURIComponent(l.location) }, plain(l.location)) }, { label: "access", cell: (l) => l.access_type ?? "-" },
    { label: "contact", wide: true, cell: (l) => plain(l.contact ?? "-", 80) }, { label: "kind", cell: (l) => h("span", { class: "tag", title: l.registered ? "a live registration" : "a row that somebody wrote" }, l.registered ? "registered" : "written") },
    { label: "expires", cell: (l) => full(l.expires) },
    { label: "waiting", num: true, help: "Messages to this number that wait now", cell: waits },
    may("send") && { label: "acts", cell: (l) => h("span", { class: "group" }, wakes && l.msisdn && h("button", { type: "button", class: "button tiny", "aria-label": "Wake " + l.msisdn, onclick: () => wake(l.msisdn) }, "Wake"),
      h("button", { type: "button", class: "button tiny danger", "aria-label": "Delete " + (l.msisdn ?? l.imsi), onclick: () => remove(page, l) }, "Delete")) },
  ], data, { label: "Locations", rowKey: (l) => l.id });
}

function remove(page, l) {
  confirm("Delete this location", l.registered ? "The registration ends; the phone has to register again." : "Messages are routed without it.", "Delete", async () => { await ask("DELETE", "/api/locations/" + l.id); note("Gone."); page.again(); }, { command: () => ["DELETE", "/api/locations/" + l.id] });
}
