// Boxes on a map and spans over columns, pulled with a pointer or made by keys. What they choose goes through the links and
// forms that stand there for everybody; a page without scripts has those.
(() => {
  "use strict";
  const WIDTH = 2000, HEIGHT = 1200;
  const keysOff = () => localStorage.getItem("keys") === "off";
  const clamp = (n, low, high) => Math.min(Math.max(n, low), high);

  const go = (map, address) => {
    const link = document.createElement("a");
    link.href = address;
    map.append(link);
    link.click();
  };
  const map = (root) => {
    const svg = root.querySelector("svg");
    const box = root.querySelector("[data-box]");
    const sheet = root.querySelector("[data-sheet]");
    const button = root.querySelector("[data-draw]");
    const help = root.querySelector("[data-help]");
    const tip = root.querySelector("[data-tip]");
    const usual = help.textContent;
    const [south, west, high, wide] = root.dataset.frame.split(",").map(Number);
    let from = null, at = null, pulled = false;
    button.hidden = help.hidden = false;
    sheet.tabIndex = 0;
    sheet.setAttribute("role", "group");
    sheet.setAttribute("aria-label", root.getAttribute("aria-label"));
    sheet.setAttribute("aria-describedby", help.id);

    const point = (event) => {
      const edge = svg.getBoundingClientRect();
      return [
        clamp((event.clientX - edge.left) / edge.width * WIDTH, 0, WIDTH),
        clamp((event.clientY - edge.top) / edge.height * HEIGHT, 0, HEIGHT),
      ];
    };
    const show = (one, other) => {
      at = [Math.min(one[0], other[0]), Math.min(one[1], other[1]), Math.abs(one[0] - other[0]), Math.abs(one[1] - other[1])];
      ["x", "y", "width", "height"].forEach((name, n) => box.setAttribute(name, at[n]));
      box.removeAttribute("hidden");
    };
    const drop = () => {
      from = at = null;
      box.setAttribute("hidden", "");
    };
    const drawing = (on) => {
      button.setAttribute("aria-pressed", on);
      root.classList.toggle("drawing", on);
      help.textContent = on ? help.dataset.drawing : usual;
      if (!on) drop();
    };
    const isDrawing = () => root.classList.contains("drawing");
    const look = () => {
      const turn = (east) => (((east + 180) % 360) + 360) % 360 - 180;
      const north = (y) => south + high - y / HEIGHT * high;
      const east = (x) => turn(west + x / WIDTH * wide);
      const ends = [north(at[1] + at[3]), east(at[0]), north(at[1]), east(at[0] + at[2])];
      // The line of the date is the east of what lies before it.
      if (ends[3] === -180) ends[3] = 180;
      const to = new URL(root.dataset.base, location.href);
      to.searchParams.set("box", ends.map((n, axis) => Number(clamp(n, axis % 2 ? -180 : -90, axis % 2 ? 180 : 90).toFixed(5))).join(","));
      drawing(false);
      go(root, to.href);
    };

    svg.addEventListener("pointerdown", (event) => {
      // A finger moves the page unless a box is being drawn.
      if (event.button || (event.pointerType === "touch" && !isDrawing())) return;
      from = point(event);
      pulled = false;
    });
    svg.addEventListener("pointermove", (event) => {
      if (!from) return;
      const now = point(event);
      if (!pulled && Math.hypot(now[0] - from[0], now[1] - from[1]) < 24) return;
      if (!pulled) svg.setPointerCapture(event.pointerId);
      pulled = true;
      show(from, now);
    });
    svg.addEventListener("pointerup", () => {
      if (from && pulled && at && at[2] > 24 && at[3] > 24) look();
      else if (from && pulled) drop();
      from = null;
    });
    svg.addEventListener("pointercancel", drop);
    // What was pulled over a circle is no click on it.
    svg.addEventListener("click", (event) => {
      if (pulled) {
        event.preventDefault();
        event.stopPropagation();
      }
      pulled = false;
    }, true);
    svg.addEventListener("dragstart", (event) => event.preventDefault());
    for (const kind of ["pointerover", "focusin"]) {
      svg.addEventListener(kind, (event) => {
        const spot = event.target.closest(".spot");
        tip.textContent = spot ? spot.getAttribute("aria-label") : "";
      });
    }
    button.addEventListener("click", () => {
      drawing(!isDrawing());
      if (isDrawing()) {
        show([WIDTH * 0.3, HEIGHT * 0.3], [WIDTH * 0.7, HEIGHT * 0.7]);
        sheet.focus();
      }
    });
    sheet.addEventListener("keydown", (event) => {
      if (event.target !== sheet || event.ctrlKey || event.metaKey || event.altKey) return;
      const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      const names = { ArrowLeft: "west", ArrowRight: "east", ArrowUp: "north", ArrowDown: "south", "+": "in", "=": "in", "-": "out", 0: "whole" };
      if (isDrawing()) {
        if (way && at) {
          const [x, y, width, height] = at;
          const move = event.shiftKey ? [0, 0, way[0] * 60, way[1] * 60] : [way[0] * 60, way[1] * 60, 0, 0];
          const size = [clamp(width + move[2], 60, WIDTH), clamp(height + move[3], 60, HEIGHT)];
          const left = clamp(x + move[0], 0, WIDTH - size[0]), top = clamp(y + move[1], 0, HEIGHT - size[1]);
          show([left, top], [left + size[0], top + size[1]]);
        } else if (event.key === "Enter" && at) look();
        else if (event.key === "Escape") drawing(false);
        else return;
        event.preventDefault();
        return;
      }
      const link = names[event.key] && root.querySelector(`[data-go="${names[event.key]}"]`);
      if (!link || (keysOff() && !way)) return;
      event.preventDefault();
      sessionStorage.setItem("map", "1");
      link.click();
    });
    // Moved by keys, the map keeps them.
    if (sessionStorage.getItem("map")) {
      sessionStorage.removeItem("map");
      sheet.focus({ preventScroll: true });
    }
  };

  const brush = (plot) => {
    const form = document.getElementById(plot.dataset.brush);
    const svg = plot.querySelector("svg");
    const cells = [...plot.querySelectorAll("[data-span]")];
    const area = plot.querySelector(".plot-area");
    if (!form || !svg || cells.length < 2) return;
    const mark = document.createElementNS(svg.namespaceURI, "rect");
    mark.setAttribute("class", "plot-brush");
    mark.setAttribute("height", "100");
    let from = null, to = null, pulled = false;
    const help = plot.parentElement.querySelector("[data-brush-help]");
    if (help) help.hidden = false;
    area.tabIndex = 0;
    area.setAttribute("role", "group");
    area.setAttribute("aria-label", (help && help.textContent) || form.closest(".facet").querySelector("summary").textContent);

    const cell = (event) => {
      const edge = svg.getBoundingClientRect();
      return clamp(Math.floor((event.clientX - edge.left) / edge.width * cells.length), 0, cells.length - 1);
    };
    const show = () => {
      const [low, high] = [Math.min(from, to), Math.max(from, to)];
      mark.setAttribute("x", low / cells.length * 1000);
      mark.setAttribute("width", (high - low + 1) / cells.length * 1000);
      if (!mark.parentNode) svg.append(mark);
      form.elements.from.value = cells[low].dataset.span.split("..")[0];
      form.elements.to.value = cells[high].dataset.span.split("..")[1];
    };
    const drop = () => {
      from = to = null;
      mark.remove();
      form.reset();
    };
    svg.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      from = to = cell(event);
      pulled = false;
    });
    svg.addEventListener("pointermove", (event) => {
      if (from === null || !event.buttons) return;
      const now = cell(event);
      if (now !== from && !pulled) {
        pulled = true;
        svg.setPointerCapture(event.pointerId);
      }
      if (pulled) {
        to = now;
        show();
      }
    });
    svg.addEventListener("pointerup", () => {
      if (pulled) form.requestSubmit();
      else from = null;
    });
    svg.addEventListener("click", (event) => {
      if (pulled) {
        event.preventDefault();
        event.stopPropagation();
      }
      pulled = false;
    }, true);
    svg.addEventListener("pointercancel", () => {
      if (pulled) drop();
      pulled = false;
    });
    svg.addEventListener("dragstart", (event) => event.preventDefault());
    area.addEventListener("keydown", (event) => {
      const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (way && !event.ctrlKey && !event.metaKey && !event.altKey) {
        if (from === null) from = to = way > 0 ? 0 : cells.length - 1;
        else {
          to = clamp(to + way, 0, cells.length - 1);
          if (!event.shiftKey) from = to;
        }
        show();
      } else if (event.key === "Enter" && from !== null) form.requestSubmit();
      else if (event.key === "Escape" && from !== null) drop();
      else return;
      event.preventDefault();
    });
  };

  const ready = (root) => {
    root.querySelectorAll("[data-map]").forEach(map);
    root.querySelectorAll("[data-brush]").forEach(brush);
  };
  ready(document);
  document.addEventListener("fresh", (event) => ready(event.target));
})();
