// Locations: where a subscriber is reached now.
import { h, put, plain } from "../dom.js";
import { ask, get, may, offers } from "../api.js";
import { button, confirm, empty, head, note, table } from "../ui.js";
import { full } from "../format.js";

export default async function locations(page) {
  const number = page.query.get("msisdn") ?? "";
  const { data } = await get("/api/locations", { msisdn: number }, page.signal);
  const wakes = may("send") && offers("POST", "/api/locations/wake");
  const look = h("form", { class: "filters", "aria-label": "Look up", onsubmit: (e) => { e.preventDefault(); const n = new FormData(e.target).get("msisdn").trim(); page.go("/locations" + (n ? "?msisdn=" + encodeURIComponent(n) : "")); } },
    h("label", { class: "wide" }, "Number", h("input", { name: "msisdn", value: number, autocomplete: "off" })), h("button", { class: "button", type: "submit" }, "Look up"), number && h("a", { class: "button quiet", href: "/locations" }, "Clear"));
  const wake = (msisdn) => async () => {
    try {
      const { data } = await ask("POST", "/api/locations/wake", { body: { msisdn } });
      note(`${data.woken} woken.`);
    } catch (e) { note("Not woken: " + e.message); }
  };
  put(page.root, head("Locations", wakes && number && button("Wake its messages", wake(number))), look,
    data.length ? table([
      { label: "subscriber", cell: (l) => plain(l.msisdn ?? l.imsi ?? "-") }, { label: "via", cell: (l) => plain(l.location) }, { label: "access", cell: (l) => l.access_type ?? "-" },
      { label: "contact", wide: true, cell: (l) => plain(l.contact ?? "-", 80) }, { label: "kind", cell: (l) => h("span", { class: "tag", title: l.registered ? "a live registration" : "a row that somebody wrote" }, l.registered ? "registered" : "written") },
      { label: "expires", cell: (l) => full(l.expires) },
      { label: "messages", cell: (l) => (l.msisdn ? h("a", { href: "/messages?to=" + encodeURIComponent(l.msisdn), title: "Messages to " + l.msisdn }, "show", h("span", { class: "sr" }, " messages to " + l.msisdn)) : "-") },
      may("send") && { label: "acts", cell: (l) => h("span", { class: "group" }, wakes && l.msisdn && h("button", { type: "button", class: "button tiny", "aria-label": "Wake " + l.msisdn, onclick: wake(l.msisdn) }, "Wake"),
        h("button", { type: "button", class: "button tiny danger", "aria-label": "Delete " + (l.msisdn ?? l.imsi), onclick: () => confirm("Delete this location", l.registered ? "The registration ends; the phone has to register again." : "Messages are routed without it.", "Delete", async () => { await ask("DELETE", "/api/locations/" + l.id); note("Gone."); page.again(); }) }, "Delete")) },
    ], data, { label: "Locations", rowKey: (l) => l.id }) : empty(number ? "Nothing is known of that number." : "No locations.", "Registrations of SIP users and IMS cores appear here, and rows that frontends write."));
}
