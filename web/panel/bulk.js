// What can be done to the marked messages of a list, or to all that match.
import { h, put } from "./dom.js";
import { ask, curl, may, offers } from "./api.js";
import { button, confirm, copier, dialog, note, table, trouble } from "./ui.js";
import { number } from "./format.js";

const WORDS = { retry: "Retry", cancel: "Cancel", replay: "Replay" };
const TELLS = {
  retry: "Those that wait, failed or expired become due now.",
  cancel: "Those that wait will not be tried again; senders who asked get a receipt.",
  replay: "Their events are posted once more, with the same ids.",
};

// bulk offers, beside the marked rows, what can be done with everything that
// the filter of the list matches; filter null: only with the marked.
export function bulk(el, { chosen, list, filter, again }) {
  put(el);
  if (!may("send")) return;
  if (chosen.size) return put(el, Object.keys(WORDS).map((w) => marked(w, chosen, list, again)), copier(() => [...chosen].join("\n"), "Copy ids"));
  if (filter && Object.keys(filter).length && offers("POST", "/api/messages/actions")) put(el, h("span", { class: "small" }, "All that match: "), Object.keys(WORDS).map((w) => button(WORDS[w], () => all(w, filter, again), { tone: "tiny" })));
}

function marked(word, chosen, list, again) {
  const ids = list.filter((m) => chosen.has(m.id)).map((m) => m.id);
  return button(`${WORDS[word]} ${ids.length}`, () => confirm(`${WORDS[word]} ${ids.length} message${ids.length === 1 ? "" : "s"}`, `${TELLS[word]} Each is asked by itself; those that cannot be are named.`, WORDS[word], async () => {
    const refused = [];
    for (const id of ids) {
      try {
        await ask("POST", `/api/messages/${id}/${word}`);
      } catch (e) {
        refused.push({ id, code: e.code || e.message });
      }
    }
    chosen.clear();
    result(word, ids.length - refused.length, refused);
    again();
  }, { command: () => ids.map((id) => curl("POST", `/api/messages/${id}/${word}`)).join("\n") }));
}

// all counts first, then asks, then tells row by row what was refused.
async function all(word, filter, again) {
  const request = (dry) => ["POST", "/api/messages/actions", { action: word, filter, ...(dry ? { dry_run: true } : {}) }];
  const send = ([method, path, body]) => ask(method, path, { body });
  try {
    const { data: count } = await send(request(true));
    if (!count.matched) return note("Nothing matches any more.");
    confirm(`${WORDS[word]} ${number(count.matched)} messages`, `${number(count.matched)}${count.matched >= 10000 ? ", the most at a time," : ""} match the filter now. ${TELLS[word]}`, `${WORDS[word]} all`, async () => {
      const { data } = await send(request(false));
      result(word, data.done, data.refused);
      again();
    }, { command: () => request(false) });
  } catch (e) {
    dialog(WORDS[word], () => trouble(e));
  }
}

function result(word, done, refused) {
  note(`${WORDS[word]}: ${number(done)} done` + (refused.length ? `, ${number(refused.length)} refused.` : "."));
  if (refused.length) setTimeout(() => dialog(`${number(refused.length)} refused`, () => table([{ label: "message", cell: (r) => h("a", { href: "/messages/" + r.id }, String(r.id)) }, { label: "why", cell: (r) => h("a", { href: "/api/problems/" + r.code, target: "_blank", rel: "noopener" }, r.code) }], refused.slice(0, 200), { label: "Refused" })));
}
