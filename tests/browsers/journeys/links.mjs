// Links: a person's, which programs look at first, and those for refusals.

import { setTimeout as pause } from "node:timers/promises";

import { until } from "../bridge.mjs";
import { check, fillIn, open, press, same, text } from "../browser.mjs";

// What scanners of mail, previews of messengers and prefetching browsers send.
const SCANNERS = [
  ["HEAD", { "user-agent": "Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.2) SafeLinks" }],
  ["GET", { "user-agent": "BarracudaLinkProtect/1.0" }],
  ["GET", { "user-agent": "WhatsApp/2.23" }],
  ["GET", { "user-agent": "facebookexternalhit/1.1" }],
  ["GET", { purpose: "prefetch", "sec-purpose": "prefetch;prerender" }],
  ["OPTIONS", {}],
];

async function scanned(url) {
  for (const [method, headers] of SCANNERS) {
    const answer = await fetch(url, { method, headers });
    await answer.arrayBuffer();
  }
}

/** Looked at by programs and by a person who presses nothing: no effect. Then the button, twice: once. */
export async function link_of_a_person(bridge, browser) {
  const number = "+905322220001";
  await bridge.form("kisisel");
  const link = await bridge.link({ kind: "recipient", form: "kisisel", type: "MESAJ", recipient: number });
  check(!link.url.includes(number.slice(-10)), link.url);
  const before = await bridge.consents();
  await scanned(link.url);
  const page = await browser.visitor();
  same(await open(page, link.url), 200, "status");
  check((await text(page)).includes("+90 532 *** ** 01"), await text(page));
  await browser.look(page, "link");
  await pause(2000);
  same([await bridge.consents(), await bridge.movements(number)], [before, []], "nothing happened");
  same(await press(page, "button.first"), 200, "status of the button");
  check((await text(page)).includes("Kaydınız alındı"), await text(page));
  await browser.look(page, "link-agreed");
  await open(page, link.url);
  await press(page, "button.first");
  same(await bridge.registered(number, 1), ["ONAY HS_WEB MESAJ"], "at the registry");
  same((await bridge.counters(link)).slice(1), [1, 0], "counters");
  await open(page, `${link.url}?lang=en`);
  await press(page, "button.second");
  check((await text(page)).includes("You did not consent"), await text(page));
  await browser.look(page, "link-refused");
  same(await bridge.registered(number, 2), ["ONAY HS_WEB MESAJ", "RET HS_WEB MESAJ"], "at the registry");
}

export async function link_that_has_ended(bridge, browser) {
  await bridge.form("suresi");
  const link = await bridge.link({ kind: "recipient", form: "suresi", type: "MESAJ", recipient: "+905322220002", life: "1s" });
  await pause(1100);
  const page = await browser.visitor();
  same(await open(page, link.url), 410, "status");
  await browser.look(page, "link-ended");
  same(await open(page, `${bridge.api}/l/AAAAAAAAAAAAAAAAAAAAAA`), 404, "an unknown link's status");
  await browser.look(page, "link-unknown");
  same(await open(page, `${bridge.api}/r/AAAAAAAAAAAAAAAAAAAAAA`), 404, "an unknown refusal's status");
}

export async function link_of_a_campaign(bridge, browser) {
  const number = "+905322220003";
  await bridge.form("kampanya", { doubleOptIn: false, channels: ["MESAJ"] });
  const link = await bridge.link({ kind: "campaign", form: "kampanya" });
  const page = await browser.visitor();
  await open(page, link.url);
  await fillIn(page, { fullName: "Ali Veli", phone: number, boxes: ["MESAJ"] });
  await press(page, "button[type=submit]");
  check((await text(page)).includes("Kaydınız alındı"), await text(page));
  same(await bridge.registered(number, 1), ["ONAY HS_WEB MESAJ"], "at the registry");
}

/** The notice of a consent tells a link of the person's own; followed twice, it is calm twice and one refusal. */
export async function refusal_by_the_link_of_a_notice(bridge, browser) {
  const address = "veli@example.net";
  const form = await bridge.form("bildirim", { doubleOptIn: false, channels: ["EPOSTA"] });
  const page = await browser.visitor();
  await open(page, form.url);
  await fillIn(page, { fullName: "Veli Demir", email: address, boxes: ["EPOSTA"] });
  await press(page, "button[type=submit]");
  const notice = await until("a notice", () => bridge.sent(address).find((mail) => mail.text.includes("onayınız alındı")));
  const url = /http\S+\/r\/\S+/.exec(notice.text)[0];
  same(notice.unsubscribe, url, "List-Unsubscribe");
  await bridge.registered(address, 1);
  await scanned(url);
  for (const time of ["first", "second"]) {
    same(await open(page, url), 200, `status of the ${time} look`);
    check((await text(page)).includes("v***@e***.net"), await text(page));
    if (time === "first") await browser.look(page, "refusal");
    same(await press(page, "button[type=submit]"), 200, `status of the ${time} refusal`);
    check((await text(page)).includes("Ret talebiniz alındı"), await text(page));
    if (time === "first") await browser.look(page, "refusal-done");
  }
  same(await bridge.registered(address, 2), ["ONAY HS_WEB EPOSTA", "RET HS_WEB EPOSTA"], "at the registry");
}
