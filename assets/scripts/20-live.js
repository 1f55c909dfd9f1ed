// Regions that change by themselves: fetched again and swapped while the page is visible, when the house tells that
// something happened, else from time to time.
(() => {
  "use strict";
  const refresh = async (region) => {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (!answer.ok) return true;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById(region.id);
    if (fresh && !region.contains(document.activeElement)) region.replaceChildren(...fresh.childNodes);
    return Boolean(fresh && fresh.hasAttribute("data-live"));
  };
  const follow = (region) => {
    const source = new EventSource(region.dataset.events);
    let busy = false;
    let again = false;
    source.addEventListener("job", async () => {
      again = true;
      if (busy) return;
      busy = true;
      while (again) {
        again = false;
        const live = await refresh(region).catch(() => true);
        if (!live) return source.close();
      }
      busy = false;
    });
  };
  const poll = (region) => {
    let pause = Number(region.dataset.live) || 1000;
    const turn = async () => {
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
  for (const region of document.querySelectorAll("[data-live]")) {
    if (region.dataset.events) follow(region);
    else poll(region);
  }
})();
