// A place chosen on a map, with a pointer or by keys: it fills both numbers of a form. Without this they are typed.
(() => {
  "use strict";
  const WIDTH = 2000, HEIGHT = 1200;
  const clamp = (n, low, high) => Math.min(Math.max(n, low), high);
  const turn = (east) => (((east + 180) % 360) + 360) % 360 - 180;
  const parts = (root) => [root.closest(".field").querySelector("input"), document.getElementById(root.dataset.place)];
  const number = (input) => {
    const text = input ? input.value.trim() : "";
    return text && Number.isFinite(Number(text)) ? Number(text) : null;
  };
  const sheet = (root) => root.querySelector(".map-sheet");
  const frame = (root) => sheet(root).dataset.frame.split(",").map(Number);
  const degrees = (root, [x, y]) => {
    const [south, west, high, wide] = frame(root);
    return [clamp(south + high - y / HEIGHT * high, -90, 90), turn(west + x / WIDTH * wide)];
  };
  const move = (root, at) => {
    root.at = [clamp(at[0], 0, WIDTH), clamp(at[1], 0, HEIGHT)];
    root.querySelector(".map-cross").setAttribute("transform", `translate(${root.at.join(" ")})`);
    const places = clamp(Math.ceil(-Math.log10(frame(root)[2] / HEIGHT)), 0, 5);
    root.chosen = degrees(root, root.at).map((n) => Number(n.toFixed(places)));
    root.querySelector("output").textContent = root.chosen.join(", ");
  };
  const draw = async (root, latitude, longitude, height) => {
    const asked = new URLSearchParams();
    if (latitude !== null && longitude !== null) {
      asked.set("latitude", latitude);
      asked.set("longitude", longitude);
    }
    if (height) asked.set("height", height);
    const answer = await fetch(`/fields/map?${asked}`).catch(() => null);
    const page = answer && answer.ok && new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page && page.querySelector(".map-sheet");
    if (!fresh) return;
    root.querySelector("[data-place-map]").replaceChildren(fresh);
    root.querySelector("[data-place-bar]").hidden = false;
    const cross = fresh.querySelector(".map-cross").getAttribute("transform").match(/-?\d+/g).map(Number);
    move(root, cross);
    fresh.focus();
  };
  const zoom = (root, by) => {
    const [latitude, longitude] = degrees(root, root.at);
    draw(root, latitude, longitude, clamp(frame(root)[2] * by, 0.01, 180));
  };
  const take = (root) => {
    parts(root).forEach((input, n) => {
      if (!input) return;
      input.value = root.chosen[n];
      input.dispatchEvent(new Event("input", { bubbles: true }));
    });
  };
  const close = (root) => {
    root.querySelector("[data-place-map]").replaceChildren();
    root.querySelector("[data-place-bar]").hidden = true;
    root.querySelector("[data-place-open]").focus();
  };
  const dress = (within) => {
    for (const root of within.querySelectorAll("[data-place]")) root.hidden = false;
  };

  document.addEventListener("click", (event) => {
    const root = event.target.closest && event.target.closest("[data-place]");
    if (!root) return;
    if (event.target.closest("[data-place-open]")) draw(root, ...parts(root).map(number));
    else if (event.target.closest("[data-place-zoom]")) zoom(root, Number(event.target.closest("[data-place-zoom]").dataset.placeZoom));
    else if (event.target.closest("[data-place-close]")) close(root);
    else if (event.target.closest(".map-sheet")) {
      const edge = sheet(root).getBoundingClientRect();
      move(root, [(event.clientX - edge.left) / edge.width * WIDTH, (event.clientY - edge.top) / edge.height * HEIGHT]);
      take(root);
    }
  });
  document.addEventListener("keydown", (event) => {
    const at = event.target.closest && event.target.closest("[data-place] .map-sheet");
    if (!at || event.ctrlKey || event.metaKey || event.altKey) return;
    const root = at.closest("[data-place]");
    const step = event.shiftKey ? 200 : 20;
    const to = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
    if (to) move(root, [root.at[0] + to[0], root.at[1] + to[1]]);
    else if (event.key === "+" || event.key === "=") zoom(root, 0.5);
    else if (event.key === "-") zoom(root, 2);
    else if (event.key === "Enter" || event.key === " ") take(root);
    else if (event.key === "Escape") close(root);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  document.addEventListener("input", () => dress(document));
  document.addEventListener("fresh", (event) => dress(event.target));
  dress(document);
})();
