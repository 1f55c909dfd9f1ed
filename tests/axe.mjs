// The walk of tests/axe: [PATH …]. Reads the pages' own links and asks axe-core about each page in each look. Ends with 1 if
// anything was found.
import { readFileSync } from "node:fs";
import { start } from "./driver.mjs";

const only = process.argv.slice(2);
const axe = readFileSync(new URL("../target/axe/node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
const widths = [320, 360, 1280];
const looks = ["light", "dark"];
const visitor = [
  "/", "/search", "/search?view=cards&q=tea", "/search?q=nothingatall", "/search?type=carnegie-object", "/search?type=penguin&view=table", "/types", "/types/carnegie-object", "RECORD", "RECORD/history",
  "/changes", "CHANGE", "/docs", "/docs/start", "/docs/search", "/docs/api", "/docs/api/records", "/docs/errors", "/sign-in", "/sign-in/lost", "/docs/jobs", "/docs/errors/stale", "/style", "/nowhere",
];
const operator = ["/", "/search?type=carnegie-object", "RECORD", "RECORD/source", "RECORD/edit", "RECORD/delete", "/types/carnegie-object", "/types/carnegie-object/edit", "/types/carnegie-object/new", "/types/carnegie-object/delete", "CHANGE", "CHANGE/undo", "/import", "FILE", "FILE/collection", "FILE/preview", "RUN", "/jobs", "JOB", "/operations", "/logs", "/settings", "/access/tokens", "/account", "/account/second-step", "/people", "/access", "/access/why", "/embargoes", "/messages", "/jobs/dead", "/schedules", "SCHEDULE", "/account/passkeys", "/search?q=vase~%20-%22oil%20on%20canvas%22%20date_acquired:1990s..", "/access/groups", "/embargoes?type=carnegie-object"];

const browser = await start(process.env.HOUSE, process.env.DRIVER);
let found = 0;
let looked = 0;
const judge = async (who, path, look, width) => {
  await browser.look(width, 800, look);
  await browser.open(path);
  await browser.run(axe);
  // What is folded away is judged, too.
  await browser.run("for (const box of document.querySelectorAll('details:not([data-menu])')) box.open = true");
  const wide = await browser.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth");
  const result = await browser.later("const done = arguments[0]; axe.run(document, { resultTypes: ['violations'] }).then((r) => done(r.violations.map((v) => ({ id: v.id, help: v.help, nodes: v.nodes.map((n) => n.target.join(' ') + ' ' + (n.any[0] || n.all[0] || n.none[0] || {}).message) }))), (e) => done([{ id: 'axe', help: String(e), nodes: [] }]))");
  looked += 1;
  const place = `${who} ${path} ${look} ${width}`;
  if (wide > 0) { found += 1; console.log(`${place}: ${wide} pixels wider than the window`); }
  for (const violation of result) {
    found += violation.nodes.length || 1;
    console.log(`${place}: ${violation.id} (${violation.help})`);
    for (const node of violation.nodes.slice(0, 4)) console.log(`    ${node}`);
  }
};
const walk = async (who, paths, places) => {
  for (const path of paths) {
    const name = path.match(/^[A-Z]+/);
    if (name && !places[name[0]]) { console.log(`${who} ${path}: there is none, left out`); continue; }
    const real = name ? path.replace(name[0], places[name[0]]) : path;
    if (only.length && !only.some((one) => real.startsWith(one))) continue;
    for (const look of looks) for (const width of widths) await judge(who, real, look, width);
  }
};

try {
  const places = async () => ({
    RECORD: await browser.first("/search?type=carnegie-object", "^/records/[^/]+$"),
    CHANGE: await browser.first("/changes", "^/changes/[^/]+$"),
  });
  await walk("visitor", visitor, await places());
  await browser.look(1280, 800, "light");
  await browser.enter(process.env.LINK);
  // One file on its way, one imported.
  const run = await browser.bring("a.csv", "number,name,made\n1,Jug,1890\n2,Cup,1901\n");
  await browser.click("button[value=next]");
  await browser.click(".wizard-actions button");
  await browser.click(`form[action="${run}/run"] button`);
  await browser.wait("#others");
  const imported = await browser.run("return location.pathname");
  const file = await browser.bring("b.csv", "code;what;when\nA1;Bowl;1.2.1900\nA2;Urn;soon\nA3;Vase;5.6.1911\n");
  await browser.click("button[value=next]");
  await browser.click(".wizard-actions button");
  await browser.wait(`form[action="${file}/run"]`);
  await walk("operator", operator, { ...(await places()), JOB: await browser.first("/jobs", "^/jobs/[0-9a-f-]{36}$"), SCHEDULE: await browser.first("/schedules", "^/schedules/[^/]+$"), FILE: file, RUN: imported });
} finally {
  await browser.close();
}
console.log(`${looked} pages looked at, ${found} findings`);
process.exit(found ? 1 : 0);
