// Makes land.bin from an outline in TopoJSON: node make-land.mjs countries-50m.json > land.bin
// The file holds rings of land, a nought, then lines between countries, and a nought. Each begins with the number of its
// points; points are differences of longitude and latitude in hundredths of a degree, zigzag, seven bits to a byte.
import { readFileSync, writeSync } from "node:fs";

const topology = JSON.parse(readFileSync(process.argv[2], "utf8"));
const { scale, translate } = topology.transform;
const arcs = topology.arcs.map((arc) => {
  let [x, y] = [0, 0];
  return arc.map(([dx, dy]) => {
    x += dx;
    y += dy;
    return [x, y].map((n, at) => Math.round((n * scale[at] + translate[at]) * 100));
  });
});
const points = (at) => (at < 0 ? [...arcs[~at]].reverse() : arcs[at]);
const walk = (geometry, each) => {
  if (geometry.geometries) geometry.geometries.forEach((one) => walk(one, each));
  else if (geometry.type === "Polygon") geometry.arcs.forEach(each);
  else if (geometry.type === "MultiPolygon") geometry.arcs.flat().forEach(each);
};

// Lines that go across the line of the date go on beyond it, instead of back around the earth.
const unwrapped = (line) => {
  let turn = 0;
  return line.map(([x, y], at) => {
    if (at && Math.abs(x - line[at - 1][0]) > 18000) turn += x < 0 ? 36000 : -36000;
    return [x + turn, y];
  });
};
// What lies around a pole begins and ends at the line of the date, and is closed along the pole.
const closed = (ring) => {
  const line = unwrapped(ring);
  const [first, last] = [line[0], line.at(-1)];
  if (first[0] === last[0]) return line;
  const cut = ring.findIndex(([x], at) => at && Math.abs(x - ring[at - 1][0]) > 18000);
  const open = unwrapped([...ring.slice(cut, -1), ...ring.slice(0, cut)]);
  const pole = open[0][1] < 0 ? -9000 : 9000;
  const edge = (x) => Math.sign(x) * 18000;
  const [from, to] = [edge(open[0][0]), edge(open.at(-1)[0])];
  return [[from, pole], [from, open[0][1]], ...open, [to, open.at(-1)[1]], [to, pole], [from, pole]];
};

const bytes = [];
const number = (n) => {
  for (; n > 127; n >>>= 7) bytes.push((n & 127) | 128);
  bytes.push(n);
};
const line = (all, least) => {
  const kept = all.filter((point, at) => at === 0 || point.some((n, axis) => n !== all[at - 1][axis]));
  if (kept.length < least) return;
  number(kept.length);
  let before = [0, 0];
  for (const point of kept) {
    point.forEach((n, axis) => number(((n - before[axis]) << 1) ^ ((n - before[axis]) >> 31)));
    before = point;
  }
};

walk(topology.objects.land, (ring) => line(closed(ring.flatMap(points)), 4));
number(0);
// What belongs to two countries lies between them.
const owners = new Map();
topology.objects.countries.geometries.forEach((country, id) => {
  walk(country, (ring) => ring.forEach((at) => {
    const arc = at < 0 ? ~at : at;
    owners.set(arc, (owners.get(arc) ?? new Set()).add(id));
  }));
});
for (const [arc, ids] of owners) if (ids.size > 1) line(unwrapped(arcs[arc]), 2);
number(0);
writeSync(1, Uint8Array.from(bytes));
