// A form with double opt-in: by mouse and by keyboard, with and without scripts, in Turkish and in English.

import { until } from "../bridge.mjs";
import { check, fillIn, focused, open, press, same, text } from "../browser.mjs";

const WORDS = {
  tr: { form: "Ticari elektronik ileti onayı", wrong: "Kod doğru değil. 4 deneme hakkınız kaldı.", done: "Onayınız alındı" },
  en: { form: "Consent to commercial messages", wrong: "The code is not right. You have 4 more tries.", done: "Your consent was received" },
};

/** Which fields and boxes are shown as wrong, and what is said beside them. */
function told(page) {
  return page.evaluate(() => [...document.querySelectorAll(".wrong")].map((it) => {
    const of = document.querySelector(`[aria-describedby~="${it.id}"]`);
    return `${of?.id}: ${it.innerText}`;
  }));
}

async function confirmed(bridge, browser, { lang, scripts, number, pictures }) {
  const form = await bridge.form(`kod-${lang}-${scripts}`);
  const page = await browser.visitor({ lang, scripts });
  same(await open(page, form.url), 200, "the form's status");
  same(await page.$eval("h1", (it) => it.innerText), WORDS[lang].form, "heading");
  same(await page.$$eval("[name=channels]", (boxes) => boxes.map((box) => box.checked)), [false, false, false], "boxes");
  if (pictures) await browser.look(page, `form-${lang}`);
  await fillIn(page, { fullName: "Ayşe Yılmaz", phone: `0${number.slice(3)}`, boxes: ["MESAJ", "ARAMA"] });
  same(await press(page, "button[type=submit]"), 200, "the code page's status");
  check(page.url().startsWith(`${bridge.api}/c/`), `leads to ${page.url()}`);
  const code = await bridge.code(number);
  if (pictures) await browser.look(page, `code-${lang}`);
  await page.type("#code", code === "111111" ? "222222" : "111111");
  same(await press(page, "button[type=submit]"), 422, "a wrong code's status");
  same(await told(page), [`code: ${WORDS[lang].wrong}`], "what is said of the code");
  same((await focused(page)).id, "code", "focus after a wrong code");
  if (pictures) await browser.look(page, `code-wrong-${lang}`);
  check((await bridge.movements(number)).length === 0, "nothing is filed before the confirmation");
  await page.type("#code", `${code.slice(0, 3)} ${code.slice(3)}`);
  same(await press(page, "button[type=submit]"), 200, "the right code's status");
  check((await text(page)).includes(WORDS[lang].done), await text(page));
  if (pictures) await browser.look(page, `confirmed-${lang}`);
  same(await bridge.registered(number, 2), ["ONAY HS_WEB ARAMA", "ONAY HS_WEB MESAJ"], "at the registry");
}

export async function form_with_code_in_turkish(bridge, browser) {
  await confirmed(bridge, browser, { lang: "tr", scripts: true, number: "+905321110001", pictures: true });
}

export async function form_with_code_in_english(bridge, browser) {
  await confirmed(bridge, browser, { lang: "en", scripts: true, number: "+905321110002", pictures: true });
}

export async function form_with_code_without_scripts(bridge, browser) {
  await confirmed(bridge, browser, { lang: "tr", scripts: false, number: "+905321110003" });
  await confirmed(bridge, browser, { lang: "en", scripts: false, number: "+905321110004" });
}

/** Number and e-mail address are confirmed apart; the link of the mail is opened by a scanner first. */
export async function form_with_link_by_mail(bridge, browser) {
  const address = "ayse@example.net";
  const form = await bridge.form("posta", { theme: { accent: "#7a1f1f", background: "#fff8f0", text: "#2a1a1a", logo: LOGO } });
  const page = await browser.visitor();
  await open(page, form.url);
  await browser.look(page, "form-themed");
  await fillIn(page, { fullName: "Ayşe Yılmaz", email: address, boxes: ["EPOSTA"] });
  same(await press(page, "button[type=submit]"), 200, "status");
  check((await text(page)).includes("E-postanıza bakın"), await text(page));
  await browser.look(page, "mail-sent");
  const mail = await until(`a mail to ${address}`, () => bridge.sent(address)[0]);
  const link = /http\S+\/c\/\S+/.exec(mail.text)[0];
  for (const method of ["HEAD", "GET", "GET"]) await fetch(link, { method });
  same(await open(page, link), 200, "the link's status");
  await browser.look(page, "mail-link");
  same((await bridge.movements(address)).length, 0, "before the button");
  await press(page, "button[type=submit]");
  check((await text(page)).includes(WORDS.tr.done), await text(page));
  same(await bridge.registered(address, 1), ["ONAY HS_WEB EPOSTA"], "at the registry");
}

/** The whole journey without a mouse; after a bad form the focus is on what is wrong. */
export async function form_by_keyboard(bridge, browser) {
  const number = "+905321110005";
  const form = await bridge.form("klavye");
  const page = await browser.visitor();
  await open(page, form.url);
  const visited = [];
  const tab = async () => {
    await page.keyboard.press("Tab");
    const at = await focused(page);
    check(at.seen, `the focus cannot be seen on ${JSON.stringify(at)}`);
    visited.push(at.id || at.value || at.text);
    return at;
  };
  const to = async (what, holds) => {
    for (let step = 0; step < 20; step += 1) {
      if (holds(await tab())) return;
    }
    throw new Error(`Tab does not lead to ${what}, but to ${visited}`);
  };
  await to("the button", (at) => at.tag === "BUTTON");
  same(visited.slice(1), ["Aydınlatma metni: 6698 sayılı Kanun uyarınca aydınlatma metni", "ARAMA", "MESAJ", "EPOSTA", "fullName", "phone", "email", "Onaylıyorum"], "order of the focus");

  const send = async () => {
    const [answer] = await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
    return answer.status();
  };
  same(await send(), 422, "an empty form's status");
  same((await focused(page)).classes, "errors", "the focus is on the summary");
  check((await page.title()).startsWith("Hata: "), await page.title());
  same(await told(page), ["channels: Onay vermek için en az bir kutuyu işaretleyin.", "fullName: Adınızı ve soyadınızı yazın."], "mistakes");
  await browser.look(page, "form-wrong");
  await to("the first mistake", (at) => at.tag === "A" && at.text.includes("ad") );
  await page.keyboard.press("Enter");
  same((await focused(page)).id, "fullName", "the link leads to its field");
  await page.keyboard.type("Ali Veli");
  await tab();
  await page.keyboard.type("12");
  await page.keyboard.down("Shift");
  for (let step = 0; step < 3; step += 1) await page.keyboard.press("Tab");
  await page.keyboard.up("Shift");
  same((await focused(page)).value, "MESAJ", "back to the boxes");
  await page.keyboard.press("Space");
  await to("the number", (at) => at.id === "phone");
  same(await send(), 422, "a short number's status");
  same(await told(page), ["phone: Numarayı 10 hane olarak yazın, örneğin 0532 123 45 67."], "mistakes");
  same(await page.$eval("[value=MESAJ]", (box) => box.checked), true, "the box stays ticked");
  await to("the number", (at) => at.id === "phone");
  await page.keyboard.down("Control");
  await page.keyboard.press("a");
  await page.keyboard.up("Control");
  await page.keyboard.type(`0${number.slice(3)}`);
  same(await send(), 200, "the code page's status");
  const code = await bridge.code(number);
  await to("the code", (at) => at.id === "code");
  await page.keyboard.type(code);
  same(await send(), 200, "the right code's status");
  check((await text(page)).includes(WORDS.tr.done), await text(page));
  same(await bridge.registered(number, 1), ["ONAY HS_WEB MESAJ"], "at the registry");
}

/** Without double opt-in: thanks at once. A form that was ended, and one that nobody has. */
export async function form_without_code(bridge, browser) {
  const number = "+905321110006";
  const form = await bridge.form("kisa", { doubleOptIn: false, channels: ["MESAJ"] });
  const page = await browser.visitor();
  await open(page, form.url);
  await fillIn(page, { fullName: "Ayşe Yılmaz", phone: number, boxes: ["MESAJ"] });
  await press(page, "button[type=submit]");
  check((await text(page)).includes("Kaydınız alındı"), await text(page));
  await browser.look(page, "thanks");
  same(await bridge.registered(number, 1), ["ONAY HS_WEB MESAJ"], "at the registry");
  await bridge.ask("DELETE", `/v1/brands/${bridge.brandCode}/forms/kisa`);
  same(await open(page, form.url), 410, "an ended form's status");
  await browser.look(page, "form-ended");
  same(await open(page, `${bridge.api}/f/AAAAAAAAAAAAAAAAAAAAAA`), 404, "an unknown form's status");
  await browser.look(page, "unknown");
  same(await open(page, `${bridge.api}/c/AAAAAAAAAAAAAAAAAAAAAA`), 404, "an unknown confirmation's status");
  await browser.look(page, "confirmation-unknown");
}

/** Guessing ends after five codes; who asks for too many is told when to come back. */
export async function code_guessed(bridge, browser) {
  const number = "+905321110007";
  const form = await bridge.form("tahmin");
  const page = await browser.visitor();
  await open(page, form.url);
  await fillIn(page, { fullName: "Ayşe Yılmaz", phone: number, boxes: ["MESAJ"] });
  await press(page, "button[type=submit]");
  for (let count = 2; count <= 3; count += 1) {
    same(await press(page, ".again button"), 200, "a new code's status");
    check((await text(page)).includes("Yeni kod gönderildi."), await text(page));
    await bridge.code(number, count);
  }
  await browser.look(page, "code-again");
  same(await press(page, ".again button"), 429, "a fourth code's status");
  check((await text(page)).includes("Kısa sürede çok kod istendi."), await text(page));
  await browser.look(page, "code-too-often");
  const right = await bridge.code(number, 3);
  for (let left = 4; left >= 0; left -= 1) {
    await page.type("#code", right === "111111" ? "222222" : "111111");
    same(await press(page, "button[type=submit]"), left > 0 ? 422 : 410, `status with ${left} tries left`);
  }
  check((await text(page)).includes("Onay alınmadı"), await text(page));
  await browser.look(page, "code-over");
  same(await bridge.movements(number), [], "at the registry");
}

// A dot and two strokes, 96 by 32 pixels.
const LOGO = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAGAAAAAgCAMAAADaHo1mAAAACVBMVEX/+PB6Hx8qGhq6OnkHAAAAY0lEQVR42u3WMQ7AIAwEQW/+/2hKRJMExMbIyj3A0xh8EeWCObtHHq8Q4ArgCuAK8Cxca7mbPwonA/BG+AHETbUBSBSiEjDzcssBW/+iHGDnPUi6aP5N9luF34v8ZvdBN1XSAI9aBs6itlngAAAAAElFTkSuQmCC";
