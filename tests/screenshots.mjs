// Pictures of the pages as people see them: FOLDER. Ten kinds of pages, each wide and as a phone, light and some dark; by
// name, so that two runs can be laid side by side. Also the few of the manual, small, into FOLDER/manual.
import { mkdirSync, writeFileSync } from "node:fs";
import { start } from "./driver.mjs";

const folder = process.argv[2] ?? "target/screenshots";
mkdirSync(`${folder}/manual`, { recursive: true });
const browser = await start(process.env.HOUSE, process.env.DRIVER);
const wide = [1280, 900];
const phone = [360, 740];
let taken = 0;

const take = async (name, path, [width, height], scheme = "light", whole = true) => {
  await browser.look(width, height, scheme);
  await browser.open(path);
  await browser.run("return document.fonts.ready.then(() => true)");
  writeFileSync(`${folder}/${name}.png`, Buffer.from(await browser.picture(whole), "base64"));
  taken += 1;
};
const pair = async (name, path) => {
  await take(`${name}-wide`, path, wide);
  await take(`${name}-phone`, path, phone);
};
const manual = async (name, path, before) => {
  await browser.look(960, 600, "light");
  await browser.open(path);
  if (before) await before();
  writeFileSync(`${folder}/manual/manual-${name}.webp`, Buffer.from(await browser.picture(false, "webp"), "base64"));
};

try {
  const record = await browser.first("/search?type=carnegie-object&q=vase", "^/records/[^/]+$");
  await pair("01-home", "/");
  await pair("02-search", "/search?type=carnegie-object");
  await pair("03-table", "/search?type=penguin&view=table");
  await pair("04-record", record);
  await pair("05-collection", "/types/carnegie-object");
  await pair("06-nothing", "/search?q=nothingatall");
  await pair("07-manual", "/docs/start");
  await take("11-home-dark", "/", wide, "dark");
  await take("12-search-dark", "/search?type=carnegie-object", phone, "dark");
  await take("13-record-dark", record, wide, "dark");
  await manual("search", "/search?type=carnegie-object");
  await manual("record", record);

  await browser.look(...wide, "light");
  await browser.enter(process.env.LINK);
  const path = await browser.bring("Kitchen.csv", "Number;Name;Price;Bought;Place\nK001;Small jug;3,75;31.12.1999;Cologne\nK002;Cup, blue;12,50;1.2.2000;Cologne\nK003;Plate;12;17.5.2001;Bonn\nK004;Pitcher;8,1;3.3.2003;Cologne\nK005;Vase;99,99;4.4.2004;Bonn\n");
  await pair("08-import", path);
  await manual("import-file", path);
  await browser.click("button[value=next]");
  await browser.wait(".import-fields");
  await pair("09-becomes", `${path}/collection`);
  await manual("import-collection", `${path}/collection`);
  await browser.click(".wizard-actions button");
  await browser.wait(`form[action="${path}/run"]`);
  await take("14-preview-wide", `${path}/preview`, wide);
  await pair("10-operations", "/operations");
  await take("15-edit-wide", `${record}/edit`, wide);
  await take("16-home-operator-wide", "/", wide);
  await take("17-source-wide", `${record}/source`, wide);
} finally {
  await browser.close();
}
console.log(`${taken} pictures in ${folder}`);
