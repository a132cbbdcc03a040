// Takes the pictures of the README: a house at work, as its operator sees it.
// shots is the folder they go to. See panel.js.
"use strict";

const path = require("node:path");
const smpp = require("smpp");

const { args, api, expect, open, signedIn, until } = require("./panel.js");

const TEXTS = ["Your code is 418 207. Do not tell it to anybody.", "Your parcel arrives today between 10:00 and 12:00.", "Ihre Rechnung ist fällig am 1. Dezember.", "Table for two, tonight at 19:30. Reply NO to cancel.", "Votre rendez-vous est confirmé.", "Gate changed: B14. Boarding 17:05.", "Randevunuz yarın 09:30'da, Şişli şubesi."];
const SENDERS = ["northpost", "acmebank", "trattoria"];

module.exports = async function pictures(browser) {
  const { context, page, faults } = await signedIn(browser);
  await open(page, "/");
  const traffic = work();
  await page.waitForTimeout(args.seconds * 1000);
  const one = await until("a delivered message", async () => (await api("GET", "/api/messages?status=delivered&order=desc&limit=1")).body[0]);
  await take(page, "overview.png");
  await open(page, "/messages/" + one.id);
  await take(page, "trace.png");
  await open(page, "/messages?status=failed");
  await take(page, "messages.png");
  await open(page, "/routing?to=447700900123&from=northpost");
  await page.waitForSelector("#verdict .plan");
  await take(page, "routing.png");
  await open(page, "/send");
  await page.fill("[name=source_msisdn]", "northpost");
  await page.fill("[name=destination_msisdn]", "+44 7700 900123");
  await page.fill("[name=message_body]", "Hello Ayşe, your parcel is here: depot 7, Mill Lane. It waits for you until Friday, 18:00. Bring this message, please.");
  await page.waitForFunction(() => document.querySelectorAll(".facts > div").length > 3);
  await take(page, "send.png");
  await context.close();
  const phone = await signedIn(browser, { colorScheme: "dark", viewport: { width: 390, height: 760 } });
  await open(phone.page, "/");
  await phone.page.waitForTimeout(3000);
  await take(phone.page, "phone.png");
  await phone.context.close();
  await traffic.end();
  expect(!faults.length && !phone.faults.length, [...faults, ...phone.faults].join("\n"));
};

const take = (page, name) => page.screenshot({ path: path.join(args.shots, name) });

// work sends as three clients do, more and less by turns, until end.
function work() {
  const sessions = SENDERS.map((who) => {
    const s = smpp.connect({ url: `smpp://127.0.0.1:${args.smpp}` });
    s.on("error", () => {});
    s.on("deliver_sm", (pdu) => s.send(pdu.response()));
    s.bind_transceiver({ system_id: who, password: "pw1" }, () => {});
    return s;
  });
  let n = 0;
  const timer = setInterval(() => {
    const many = Math.round(4 + 3 * Math.sin(n / 40) + Math.random() * 2);
    for (let i = 0; i < many; i++, n++) {
      const from = n % SENDERS.length;
      // 447700011 is refused for good by the carrier of the tests.
      const to = n % 50 === 7 ? "447700011" : `4477009${String(10000 + ((n * 37) % 90000))}`;
      sessions[from].submit_sm({ source_addr: SENDERS[from], source_addr_ton: 5, destination_addr: n % 9 === 3 ? "49170" + to.slice(-7) : to, dest_addr_ton: 1, dest_addr_npi: 1, registered_delivery: n % 3 ? 1 : 0, ...text(TEXTS[n % TEXTS.length]) }, () => {});
    }
  }, 500);
  return { end: async () => { clearInterval(timer); for (const s of sessions) s.close(); } };
}

// text spells a text as an ESME does: UCS-2 where it has to be.
const text = (t) => (/[^\x20-\x7e]/.test(t) ? { data_coding: 8, short_message: { message: t } } : { short_message: t });
