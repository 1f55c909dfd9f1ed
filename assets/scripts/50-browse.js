// Browsing without loading the whole page: links and forms of the region data-swap that lead to its own page fetch it and
// put its region into place; back and forward do the same. Results by keys, and long lists narrowed while one types.
(() => {
  "use strict";
  const region = () => document.querySelector("[data-swap]");
  const whole = (address) => address.pathname + address.search;
  let asked = 0;
  let shown = whole(location);
  let voice;

  // What was found is read out, also where the sentence itself was replaced.
  const say = (text) => {
    if (!voice) {
      voice = document.createElement("p");
      voice.className = "sr";
      voice.setAttribute("aria-live", "polite");
      document.body.append(voice);
    }
    voice.textContent = text;
  };
  const facetOf = (element) => element.closest(".facet") && element.closest(".facet").querySelector("summary").textContent;
  const place = (element) => `${facetOf(element) || ""}|${element.id}|${(element.querySelector(".name") || element).textContent}`;

  const put = (old, fresh, at) => {
    const open = new Map();
    for (const facet of old.querySelectorAll("details.facet")) open.set(facetOf(facet), facet.open);
    for (const facet of fresh.querySelectorAll("details.facet")) {
      if (open.has(facetOf(facet))) facet.open = open.get(facetOf(facet));
    }
    const was = at && old.contains(at) ? place(at) : null;
    old.replaceWith(fresh);
    fresh.dispatchEvent(new Event("fresh", { bubbles: true }));
    if (was !== null && !fresh.contains(document.activeElement)) {
      const same = [...fresh.querySelectorAll("a, button, input, select, summary")].find((element) => place(element) === was);
      const next = same || fresh.querySelector("#results");
      if (!same && next) next.tabIndex = -1;
      if (next) next.focus({ preventScroll: true });
    }
  };
  const go = async (address, push) => {
    const old = region();
    const mine = ++asked;
    const at = document.activeElement;
    const paged = Boolean(at && at.closest(".pager"));
    old.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(address, { headers: { accept: "text/html" } });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("[data-swap]");
      if (mine !== asked) return;
      if (!answer.ok || !fresh || fresh.id !== old.id) throw new Error("another page");
      if (push) history.pushState(null, "", answer.url);
      shown = whole(location);
      document.title = page.title;
      for (const box of document.querySelectorAll("#site-q")) box.value = page.getElementById("site-q").value;
      put(old, document.adoptNode(fresh), at);
      const status = fresh.querySelector("[role=status]");
      if (status) say(status.textContent.trim());
      if (paged) fresh.scrollIntoView();
    } catch {
      if (mine === asked) location.assign(address);
    }
  };

  document.addEventListener("click", (event) => {
    const link = event.target.closest && event.target.closest("[data-swap] a[href]");
    if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const to = new URL(link.getAttribute("href"), location.href);
    if (to.origin !== location.origin || to.pathname !== location.pathname || to.hash || link.hasAttribute("download")) return;
    event.preventDefault();
    go(to.href, true);
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    const to = new URL(form.action, location.href);
    if (!form.closest("[data-swap]") || form.method !== "get" || to.pathname !== location.pathname) return;
    event.preventDefault();
    to.search = new URLSearchParams(new FormData(form)).toString();
    go(to.href, true);
  });
  addEventListener("popstate", () => {
    if (region() && whole(location) !== shown) go(location.href, false);
  });

  document.addEventListener("keydown", (event) => {
    const at = event.target;
    const typing = at instanceof HTMLElement && (at.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName));
    if (typing || event.ctrlKey || event.metaKey || event.altKey || !/^[jk]$/.test(event.key)) return;
    if (localStorage.getItem("keys") === "off" || document.querySelector("dialog[open]")) return;
    const results = [...document.querySelectorAll("[data-result]")];
    const now = results.indexOf(document.activeElement);
    const next = results[event.key === "j" ? now + 1 : Math.max(now - 1, 0)];
    if (!next) return;
    event.preventDefault();
    next.focus();
    next.scrollIntoView({ block: "nearest" });
  });

  // A facet with more values than are shown is looked through by the house itself.
  let pause;
  const look = async (box, list) => {
    const text = box.value.trim();
    const address = new URL(box.dataset.values, location.href);
    address.searchParams.set("q", text);
    address.searchParams.set("limit", "100");
    const answer = await fetch(address, { headers: { accept: "application/json" } }).catch(() => null);
    if (!answer || !answer.ok || box.value.trim() !== text) return;
    const { field, values } = await answer.json();
    const language = document.documentElement.lang;
    list.replaceChildren(...values.filter((one) => one.value !== null).map((one) => {
      const to = new URL(box.dataset.base, location.href);
      to.searchParams.append("filter", `${field}:${one.value}`);
      const line = document.createElement("li");
      const link = document.createElement("a");
      link.className = "facet-value";
      link.rel = "nofollow";
      link.href = to.pathname + to.search;
      for (const [name, said] of [["name", one.value], ["count", one.count.toLocaleString(language)]]) {
        const part = document.createElement("span");
        part.className = name;
        part.textContent = said;
        link.append(part);
      }
      line.append(link);
      return line;
    }));
  };
  const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  document.addEventListener("input", (event) => {
    const list = event.target.dataset && event.target.dataset.narrow && document.getElementById(event.target.dataset.narrow);
    if (!list) return;
    const sought = plain(event.target.value);
    for (const line of list.children) line.hidden = !plain(line.textContent).includes(sought);
    if (event.target.dataset.values) {
      clearTimeout(pause);
      pause = setTimeout(() => look(event.target, list), 150);
    }
  });
})();
