// The walk of tests/axe: HOUSE DRIVER LINK [PATH …]. Speaks WebDriver to the driver, reads the pages' own links, and asks
// axe-core about each page in each look. Ends with 1 if anything was found.
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { mkdtempSync, rmSync } from "node:fs";

const [house, driver, link, ...only] = process.argv.slice(2);
const axe = readFileSync(new URL("../target/axe/node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
const widths = [320, 360, 1280];
const looks = ["light", "dark"];
const visitor = [
  "/", "/search", "/search?view=cards&q=tea", "/search?q=nothingatall", "/types", "/types/carnegie-object", "RECORD", "RECORD/history",
  "/changes", "CHANGE", "/docs", "/docs/start", "/docs/search", "/docs/api", "/docs/api/records", "/docs/errors", "/docs/errors/stale", "/style", "/nowhere",
];
const operator = ["/", "/search?type=carnegie-object", "RECORD", "RECORD/edit", "/types/carnegie-object", "CHANGE", "CHANGE/undo", "/import", "/jobs", "JOB", "/operations", "/logs", "/settings", "/access/tokens"];

const profile = mkdtempSync(`${tmpdir()}/vitrine-axe-`);
const ask = async (path, body) => {
  const answer = await fetch(`${driver}${path}`, body === undefined ? {} : { method: "POST", body: JSON.stringify(body) });
  const { value } = await answer.json();
  if (value && value.error) throw new Error(`${path}: ${value.message}`);
  return value;
};
const session = await ask("/session", {
  capabilities: { alwaysMatch: { "goog:chromeOptions": {
    binary: process.env.CHROMIUM,
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", `--user-data-dir=${profile}`],
  } } },
});
const at = `/session/${session.sessionId}`;
const run = (script, ...args) => ask(`${at}/execute/sync`, { script, args });
const later = (script, ...args) => ask(`${at}/execute/async`, { script, args });
const tools = (cmd, params) => ask(`${at}/goog/cdp/execute`, { cmd, params });
const open = (path) => ask(`${at}/url`, { url: new URL(path, house).href });
const first = async (page, pattern) => {
  await open(page);
  return run("return [...document.querySelectorAll('main a[href]')].map((a) => a.pathname).find((path) => new RegExp(arguments[0]).test(path)) || null", pattern);
};

let found = 0;
let looked = 0;
const judge = async (who, path, look, width) => {
  await tools("Emulation.setDeviceMetricsOverride", { width, height: 800, deviceScaleFactor: 1, mobile: width < 600 });
  await tools("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: look }, { name: "prefers-reduced-motion", value: "reduce" }] });
  await open(path);
  await run(axe);
  const wide = await run("return document.documentElement.scrollWidth - document.documentElement.clientWidth");
  const result = await later("const done = arguments[0]; axe.run(document, { resultTypes: ['violations'] }).then((r) => done(r.violations.map((v) => ({ id: v.id, help: v.help, nodes: v.nodes.map((n) => n.target.join(' ') + ' ' + (n.any[0] || n.all[0] || n.none[0] || {}).message) }))), (e) => done([{ id: 'axe', help: String(e), nodes: [] }]))");
  looked += 1;
  const place = `${who} ${path} ${look} ${width}`;
  if (wide > 0) { found += 1; console.log(`${place}: ${wide} pixels wider than the window`); }
  for (const violation of result) {
    found += violation.nodes.length || 1;
    console.log(`${place}: ${violation.id} (${violation.help})`);
    for (const node of violation.nodes.slice(0, 4)) console.log(`    ${node}`);
  }
};

try {
  const walk = async (who, paths) => {
    const places = {
      RECORD: await first("/search?type=carnegie-object", "^/records/[^/]+$"),
      CHANGE: await first("/changes", "^/changes/[^/]+$"),
      JOB: who === "operator" ? await first("/jobs", "^/jobs/[^/]+$") : null,
    };
    for (const path of paths) {
      const name = path.match(/^[A-Z]+/);
      if (name && !places[name[0]]) { console.log(`${who} ${path}: there is none, left out`); continue; }
      const real = name ? path.replace(name[0], places[name[0]]) : path;
      if (only.length && !only.some((one) => path.startsWith(one))) continue;
      for (const look of looks) for (const width of widths) await judge(who, real, look, width);
    }
  };
  await walk("visitor", visitor);
  await open(link);
  await ask(`${at}/element`, { using: "css selector", value: "main form button" }).then((element) => ask(`${at}/element/${Object.values(element)[0]}/click`, {}));
  await walk("operator", operator);
} finally {
  await fetch(`${driver}${at}`, { method: "DELETE" });
  rmSync(profile, { recursive: true, force: true });
}
console.log(`${looked} pages looked at, ${found} findings`);
process.exit(found ? 1 : 0);
