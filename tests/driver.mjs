// A browser for scripts: speaks WebDriver to the driver that tests/with-house started. Sizes, light and dark, clicks by
// selector. Knows nothing of what its users look for.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";

const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars"];

export const start = async (house, driver) => {
  const profile = mkdtempSync(`${tmpdir()}/vitrine-look-`);
  const ask = async (path, body) => {
    const answer = await fetch(`${driver}${path}`, body === undefined ? {} : { method: "POST", body: JSON.stringify(body) });
    const { value } = await answer.json();
    if (value && value.error) throw new Error(`${path}: ${value.message}`);
    return value;
  };
  const options = { binary: process.env.CHROMIUM, args: [...flags, `--user-data-dir=${profile}`] };
  const session = await ask("/session", { capabilities: { alwaysMatch: { "goog:chromeOptions": options } } });
  const at = `/session/${session.sessionId}`;
  const tools = (cmd, params) => ask(`${at}/goog/cdp/execute`, { cmd, params });
  const run = (script, ...args) => ask(`${at}/execute/sync`, { script, args });
  const later = (script, ...args) => ask(`${at}/execute/async`, { script, args });
  const find = async (selector) => {
    for (let turn = 0; ; turn += 1) {
      try {
        return Object.values(await ask(`${at}/element`, { using: "css selector", value: selector }))[0];
      } catch (error) {
        if (turn > 100) throw error;
        await new Promise((done) => setTimeout(done, 100));
      }
    }
  };
  let now = { width: 1280, height: 900, scheme: "light" };
  const open = (path) => ask(`${at}/url`, { url: new URL(path, house).href });
  return {
    run,
    later,
    open,
    // As wide as this, light or dark, with less motion: so that a picture is the same each time.
    async look(width, height, scheme) {
      now = { width, height, scheme };
      await tools("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: width < 600 });
      await tools("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: scheme }, { name: "prefers-reduced-motion", value: "reduce" }] });
    },
    // On paper instead of a screen, or back.
    paper: (on) => tools("Emulation.setEmulatedMedia", { media: on ? "print" : "" }),
    // Parts of a page may be drawn anew between finding and clicking.
    async click(selector) {
      for (let turn = 0; ; turn += 1) {
        try {
          return await ask(`${at}/element/${await find(selector)}/click`, {});
        } catch (error) {
          if (turn > 20 || !/stale element/.test(error.message)) throw error;
        }
      }
    },
    type: async (selector, text) => ask(`${at}/element/${await find(selector)}/value`, { text }),
    wait: find,
    // A picture as base64; `whole` shows what is below the window, too.
    async picture(whole, format = "png") {
      const { width, height, scheme } = now;
      if (whole) await this.look(width, await run("return Math.max(arguments[0], Math.ceil(document.body.getBoundingClientRect().height))", height), scheme);
      const { data } = await tools("Page.captureScreenshot", format === "webp" ? { format, quality: 78 } : { format });
      if (whole) await this.look(width, height, scheme);
      return data;
    },
    // The address of the first link on a page that fits.
    first: async (page, pattern) => {
      await open(page);
      return run("return [...document.querySelectorAll('main a[href]')].map((a) => a.pathname).find((path) => new RegExp(arguments[0]).test(path)) || null", pattern);
    },
    // Makes the first administrator by a one-time link, in this browser.
    async enter(link) {
      await open(link);
      await run("for (const [id, text] of Object.entries(arguments[0])) document.getElementById(id).value = text;", { name: "Ada Lovelace", login: "ada", password: "zebra-kettle-47-river" });
      await this.click("main form button[type=submit]");
      await find(".site-account");
    },
    // Brings a file into the wizard as if it had been dropped there; its draft's path.
    async bring(name, content) {
      await open("/import");
      await run("const box = new DataTransfer(); box.items.add(new File([arguments[1]], arguments[0])); const input = document.querySelector('#file'); input.files = box.files; input.dispatchEvent(new Event('change', { bubbles: true }));", name, content);
      await find("button[value=next]");
      return run("return location.pathname");
    },
    close: async () => {
      await fetch(`${driver}${at}`, { method: "DELETE" });
      rmSync(profile, { recursive: true, force: true });
    },
  };
};
