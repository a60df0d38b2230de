// The registry's own pages in the sandbox: the citizen's and the provider's.

import { until } from "../bridge.mjs";
import { check, open, press, same, text } from "../browser.mjs";

export async function panel_of_the_citizen(bridge, browser) {
  const number = "+905325550001";
  await fetch(`${bridge.sandbox}/_sandbox/citizen/movements`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ brandCode: bridge.brandCode, recipient: number, recipientType: "BIREYSEL", type: "MESAJ", status: "ONAY", source: "IYS_WEB" }),
  });
  const page = await browser.visitor();
  await open(page, `${bridge.sandbox}/vatandas`);
  await browser.look(page, "citizen-login");
  await page.type("#adres", number);
  await press(page, "main button");
  await browser.look(page, "citizen-code");
  const code = await until("a code", async () => {
    const outbox = await (await fetch(`${bridge.sandbox}/_sandbox/outbox`)).text();
    return /giriş kodunuz: (\d+)/.exec(outbox)?.[1];
  });
  await page.type("#kod", code);
  await press(page, "main button");
  check((await text(page)).includes("Demo"), await text(page));
  await browser.look(page, "citizen");
  for (const place of ["marka-ekle", "gecmis", "sikayetler", "sikayet", "yardim"]) {
    await open(page, `${bridge.sandbox}/vatandas/${place}`);
    await browser.look(page, `citizen-${place}`);
  }
}

export async function panel_of_the_provider(bridge, browser) {
  const page = await browser.visitor();
  await open(page, `${bridge.sandbox}/hizmet-saglayici`);
  await browser.look(page, "provider-login");
  await press(page, "main button");
  await browser.look(page, "provider");
  for (const place of ["markalar", "is-ortaklari", "via-formlari", "mutabakat", "sikayetler"]) {
    await open(page, `${bridge.sandbox}/hizmet-saglayici/${place}`);
    await browser.look(page, `provider-${place}`);
  }
}
