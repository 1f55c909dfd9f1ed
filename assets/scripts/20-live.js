// Regions that change by themselves: told by server-sent events (data-events), else asked for from time to time. Progress is
// written straight from the event; the region is fetched again only when the state changes, or where it shows more than
// progress (data-tail) at most every two seconds. EventSource connects again by itself; where it cannot, we ask.
(() => {
  "use strict";
  const begun = new WeakSet();
  const refresh = async (region) => {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (!answer.ok) return true;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById(region.id);
    if (!fresh) {
      // What was waited for has become another page.
      location.reload();
      return false;
    }
    const live = fresh.hasAttribute("data-live");
    if (!live || !region.contains(document.activeElement)) {
      region.replaceChildren(...fresh.childNodes);
      region.dispatchEvent(new Event("fresh", { bubbles: true }));
    }
    return live;
  };

  const number = (n) => Number(n).toLocaleString(document.documentElement.lang);
  // What a job's event says, written into the region: true if nothing there shows progress.
  const write = (region, job) => {
    const bar = region.querySelector("progress[data-bar]");
    const text = region.querySelector("[data-count]");
    if (!bar && !text) return true;
    if (bar && job.total) { bar.max = job.total; bar.value = job.done; }
    if (text) {
      const words = job.total ? text.dataset.of : text.dataset.count;
      text.textContent = (words || "").replace("{done}", number(job.done)).replace("{total}", number(job.total || 0));
    }
    return false;
  };

  const follow = (region) => {
    const source = new EventSource(region.dataset.events);
    let state;
    let busy = false;
    let again = false;
    let last = 0;
    const turn = async () => {
      again = true;
      if (busy) return;
      busy = true;
      while (again) {
        again = false;
        last = Date.now();
        const live = await refresh(region).catch(() => true);
        if (!live) return source.close();
      }
      busy = false;
    };
    source.addEventListener("job", (event) => {
      let job = {};
      try { job = JSON.parse(event.data); } catch { /* a word alone: look again */ }
      const bare = write(region, job.progress || job);
      const changed = state !== job.state;
      state = job.state;
      if (bare || changed || (region.querySelector("[data-tail]") && Date.now() - last > 2000)) turn();
    });
    source.addEventListener("error", () => {
      if (source.readyState === EventSource.CLOSED) poll(region);
    });
  };
  const poll = (region) => {
    let pause = Number(region.dataset.live) || 1000;
    const turn = async () => {
      if (!region.isConnected) return;
      if (!document.hidden) {
        try {
          if (!(await refresh(region))) return;
          pause = Math.min(pause * 1.1, 5000);
        } catch {
          pause = Math.min(pause * 2, 30000);
        }
      }
      setTimeout(turn, pause);
    };
    setTimeout(turn, pause);
  };
  const dress = (within) => {
    for (const region of within.querySelectorAll("[data-live]")) {
      if (begun.has(region)) continue;
      begun.add(region);
      if (region.dataset.events) follow(region);
      else poll(region);
    }
  };
  document.addEventListener("fresh", (event) => dress(event.target));
  dress(document);
})();
