// Texts: what the preview says of 200 of them, for the test to compare with
// what leaves on the wire, and that hostile ones stay text. See panel.js.
"use strict";

const { args, api, check, expect, open, ready, signedIn, tell } = require("./panel.js");

const EXTENSION = "^{}\\[~]|€";
const TURKISH = "ÇĞİÖŞÜçğıöşü";

// texts are those whose length or alphabet is easily told wrong.
function texts() {
  const out = [];
  for (const n of [1, 2, 7, 69, 70, 71, 133, 134, 135, 152, 153, 154, 159, 160, 161, 305, 306, 307, 459, 460]) {
    out.push("a".repeat(n), "ą".repeat(n), "€".repeat(n), "😀".repeat(n));
  }
  for (const c of EXTENSION) out.push(c, "a".repeat(158) + c, "a".repeat(159) + c, "a".repeat(152) + c + "a".repeat(20));
  for (const c of TURKISH) out.push("Merhaba " + c, c.repeat(70), c.repeat(71), "x".repeat(159) + c);
  for (const c of ["👨‍👩‍👧", "🇹🇷", "é", "e\u0301", "\u00a0", "`", "“", "’", "–", "…"]) out.push(c, "a".repeat(69) + c, "a".repeat(66) + c + "b".repeat(3));
  out.push("two\nlines", "tab\there", "\u0394\u03a6\u0393\u039b\u03a9", "\u0391\u0392\u0395", "Grüße, {x} 😀", "日本語のメッセージ", "שלום", "مرحبا", "¡¿Ññ", "ÆØÅæøå§", "@£$¥èéùìò", "0".repeat(500));
  return out.filter((t) => t.trim() !== "").slice(0, 200);
}

const HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>\u202eevil\u200b\u0007 javascript:alert(3) http://127.0.0.1/evil ";

module.exports = async function play(browser) {
  await check("the preview of each text is read", () => previews(browser));
  await check("hostile texts stay text in every field that takes them", () => hostile(browser));
};

async function previews(browser) {
  const { context, page, faults } = await signedIn(browser);
  await open(page, "/send");
  const all = args.long ? texts() : texts().filter((_, i) => i % 8 === 0);
  expect(all.length === (args.long ? 200 : 25), all.length + " texts");
  for (const [i, text] of all.entries()) {
    const to = "44790000" + String(1000 + i);
    await page.fill("[name=destination_msisdn]", to);
    const answer = page.waitForResponse((r) => r.url().includes("/api/messages/preview") && r.request().postDataJSON()?.message_body === text && r.request().postDataJSON()?.destination_msisdn === to);
    await page.fill("[name=message_body]", text);
    const said = await (await answer).json();
    const shown = () => Object.fromEntries([...document.querySelectorAll(".facts > div")].map((d) => [d.children[0].textContent, d.children[1].textContent]));
    await page.waitForFunction(([n, e, units]) => {
      const f = Object.fromEntries([...document.querySelectorAll(".facts > div")].map((d) => [d.children[0].textContent, d.children[1].textContent]));
      return f.Parts === n && f.Alphabet === e && f.Units?.replace(/[^0-9]*/, "").startsWith(units);
    }, [String(said.parts), said.encoding, String(said.units).slice(0, 1)]).catch(async (e) => { throw new Error(`${text.slice(0, 20)}: the page says ${JSON.stringify(await page.evaluate(shown))}`, { cause: e }); });
    const facts = await page.evaluate(shown);
    const sent = await api("POST", "/api/messages", { source_msisdn: "panel", destination_msisdn: to, message_body: text, source_smsc: "panel" });
    tell({ preview: { to, text: text.slice(0, 24), parts: Number(facts.Parts), alphabet: facts.Alphabet, status: sent.status } });
  }
  expect(!faults.length, faults.join("\n"));
  await context.close();
}

// hostile writes markup wherever a stranger can, and looks at each page that
// shows it.
async function hostile(browser) {
  const { context, page, faults } = await signedIn(browser);
  page.on("dialog", (d) => { faults.push("a script ran: " + d.message()); d.dismiss(); });
  const taken = [];
  const post = async (what, path, body) => {
    const reply = await api("POST", path, body);
    if (reply.status < 300) taken.push(what);
    return reply.body.data ?? reply.body;
  };
  const message = await post("text", "/api/messages", { source_msisdn: "<b>x</b>", destination_msisdn: args.number, message_body: HOSTILE, source_smsc: "panel", client_ref: "<i>ref</i>" });
  const big = await post("39,000 characters", "/api/messages", { source_msisdn: "x", destination_msisdn: args.number, message_body: HOSTILE.replace(/[^\x20-\x7e]/g, "").padEnd(39000, "x"), source_smsc: "panel" });
  await post("route", "/api/routes", { called_prefix: "4999", dest_smsc: "carrier1", description: HOSTILE });
  await post("rule", "/api/rules", { name: "hostile", when: { text: HOSTILE }, then: { drop: true } });
  await post("frontend", "/api/frontends", { frontend_name: HOSTILE, frontend_type: "<b>SMPP</b>", ip_address: HOSTILE, uptime_seconds: 60 });
  await post("location", "/api/locations", { msisdn: "15550009999", imsi: "<script>", server_url: "<img src=x>" });
  expect(taken.includes("text") && taken.includes("route"), "taken: " + taken);
  for (const where of ["/messages", "/messages/" + message.id, big.id && "/messages/" + big.id, "/routing", "/rules", "/frontends", "/locations", "/cdrs", "/config", "/logs", "/messages?q=" + encodeURIComponent(HOSTILE), "/routing?to=" + encodeURIComponent(HOSTILE), "/links/" + encodeURIComponent("<img src=x onerror=alert(1)>"), "/accounts/" + encodeURIComponent("<b>")].filter(Boolean)) {
    await page.goto(args.base + where);
    await ready(page);
    expect(!(await page.$("main img:not([src^='/']), main script, main iframe, main a[href^='javascript'], main a[href^='http://127.0.0.1/evil']")), where + ": markup became an element");
  }
  await open(page, "/messages/" + message.id);
  await page.waitForFunction(() => document.querySelector("main").innerText.includes("<script>alert(2)</script>"));
  await page.waitForSelector(".unseen[title='U+202E']:visible");
  expect(!faults.length, faults.join("\n"));
  await context.close();
  return "taken: " + taken.join(", ");
}
