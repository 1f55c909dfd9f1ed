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

walk(topology.objects.land, (ring) => line(ring.flatMap(points), 4));
number(0);
// What belongs to two countries lies between them.
const owners = new Map();
topology.objects.countries.geometries.forEach((country, id) => {
  walk(country, (ring) => ring.forEach((at) => {
    const arc = at < 0 ? ~at : at;
    owners.set(arc, (owners.get(arc) ?? new Set()).add(id));
  }));
});
for (const [arc, ids] of owners) if (ids.size > 1) line(arcs[arc], 2);
number(0);
writeSync(1, Uint8Array.from(bytes));
