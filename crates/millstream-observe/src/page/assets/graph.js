// The graph: cards for stages and queues, lines between them.

const SIZE = { width: 172, height: 104, chip: 26, gap: 104, rows: 34, pad: 24, title: 22, gapDown: 58 };
/** Where there is little room: narrower, before it has to be scrolled. */
const NARROWEST = { width: 126, gap: 70 };

const graph = { topology: null, isVertical: null, width: 0, cards: new Map(), lines: [], visible: new Set(), turn: 0 };

const watcher = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (entry.isIntersecting) graph.visible.add(entry.target.dataset.key);
    else graph.visible.delete(entry.target.dataset.key);
  }
  scheduleRender();
});

function renderGraph(view, choose) {
  const box = document.getElementById("graph");
  // A page that comes or goes has no room; it is drawn once it has.
  if (box.clientWidth === 0) return;
  const isVertical = box.clientWidth < 600;
  const topology = topologyOf(view);
  const isWider = graph.width !== box.clientWidth;
  const isNew = topology !== graph.topology || isVertical !== graph.isVertical || isWider;
  if (isNew) {
    Object.assign(graph, { topology, isVertical, width: box.clientWidth });
    build(box, view, choose);
  }
  // Of a large graph, what nobody sees is kept up to date less often.
  graph.turn = (graph.turn + 1) % 10;
  const isAll = isNew || graph.turn === 0 || graph.cards.size <= 100;
  const policies = new Map(view.snapshot.policies.map((policy) => [policy.name, policy]));
  for (const card of graph.cards.values()) if (isAll || graph.visible.has(card.node.key)) updateCard(card, view, policies);
  for (const line of graph.lines) {
    if (isAll || graph.visible.has(line.edge.from) || graph.visible.has(line.edge.to)) updateLine(line, view);
  }
}

function build(box, view, choose) {
  const focused = document.activeElement?.dataset?.key;
  watcher.disconnect();
  graph.cards.clear();
  graph.lines = [];
  graph.visible.clear();
  const shapeOf = graphOf(view), { nodes, edges } = shapeOf;
  const layer = layersOf(shapeOf), row = rowsOf(shapeOf, layer);
  const canvas = element("div", graph.isVertical ? "canvas vertical" : "canvas");
  const places = graph.isVertical ? placeDown(nodes, layer, row, box.clientWidth) : placeAcross(nodes, layer, row, box.clientWidth);
  canvas.style.width = places.width + "px";
  canvas.style.height = places.height + "px";
  const svg = shape("svg", { class: "edges", width: places.width, height: places.height, "aria-hidden": "true" });
  canvas.append(svg);
  titles(canvas, view, nodes, places);
  const inOrder = [...nodes.values()].sort((a, b) =>
    row.get(a.key) - row.get(b.key) || layer.get(a.key) - layer.get(b.key));
  for (const node of inOrder) {
    const card = makeCard(node, places.at.get(node.key), view, choose);
    canvas.append(card.root);
    graph.cards.set(node.key, card);
    watcher.observe(card.root);
  }
  for (const edge of edges) graph.lines.push(makeLine(edge, places, svg, canvas, edges.length));
  box.replaceChildren(canvas);
  if (focused) graph.cards.get(focused)?.button.focus();
}

function heightOf(node) {
  return (node.kind === "consumer" ? 58 : SIZE.height) + node.guards.length * SIZE.chip;
}

function placeAcross(nodes, layer, row, room) {
  const at = new Map();
  const columns = Math.max(0, ...layer.values()) + 1;
  const each = (room - 2 * SIZE.pad - 2 + NARROWEST.gap) / columns;
  const fits = each >= NARROWEST.width + NARROWEST.gap;
  const gap = fits ? Math.min(SIZE.gap, Math.max(NARROWEST.gap, Math.round(each * 0.38))) : SIZE.gap - 16;
  const widest = fits ? Math.min(SIZE.width, Math.floor(each - gap)) : SIZE.width - 16;
  const n = Math.max(0, ...row.values()) + 1, heights = new Array(n).fill(0);
  for (const node of nodes.values()) heights[row.get(node.key)] = Math.max(heights[row.get(node.key)], heightOf(node));
  const tops = [];
  heights.reduce((top, height, index) => (tops[index] = top, top + height + SIZE.rows), SIZE.pad + SIZE.title);
  let width = 0, height = 0;
  for (const node of nodes.values()) {
    const x = SIZE.pad + layer.get(node.key) * (widest + gap);
    const y = tops[row.get(node.key)] + (node.kind === "consumer" ? (SIZE.height - 58) / 2 : 0);
    const place = { x, y, width: node.kind === "consumer" ? Math.min(116, widest) : widest, height: heightOf(node) };
    at.set(node.key, place);
    width = Math.max(width, x + place.width + SIZE.pad);
    height = Math.max(height, y + place.height + SIZE.pad);
  }
  return { at, width, height };
}

function placeDown(nodes, layer, row, room) {
  const at = new Map();
  // Each part below the one before: rows are columns only where a layer has several.
  const groups = new Map();
  for (const node of nodes.values()) {
    const key = row.get(node.key);
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(node);
  }
  let y = SIZE.pad + SIZE.title;
  const width = room - 2;
  for (const [, group] of [...groups].sort((a, b) => a[0] - b[0])) {
    group.sort((a, b) => layer.get(a.key) - layer.get(b.key));
    for (const node of group) {
      at.set(node.key, { x: 16, y, width: width - 32, height: heightOf(node) });
      y += heightOf(node) + SIZE.gapDown;
    }
    y += SIZE.title;
  }
  return { at, width, height: y };
}

function titles(canvas, view, nodes, places) {
  view.snapshot.flows.forEach((flow) => {
    const first = flow.stages[0] && places.at.get(stageKey(flow.name, flow.stages[0].name));
    if (!first) return;
    const title = element("div", "flow-name", short(flow.name));
    // Beside the line that comes from above, where there is one.
    const indent = graph.isVertical ? 110 : 0;
    title.style.left = first.x + indent + "px";
    title.style.top = first.y - 22 + "px";
    title.style.maxWidth = first.width + (graph.isVertical ? -indent : 60) + "px";
    canvas.append(title);
  });
}

function makeCard(node, place, view, choose) {
  const root = element("div", "node");
  root.dataset.key = node.key;
  Object.assign(root.style, { left: place.x + "px", top: place.y + "px", width: place.width + "px", height: place.height + "px" });
  const button = element("button", "card");
  button.type = "button";
  button.dataset.key = node.key;
  const name = element("span", "name", short(node.name));
  if (node.name.length < 500) name.title = node.name;
  const role = element("span", "role");
  button.append(name, role);
  const card = { node, root, button, role, chips: [] };
  if (node.kind === "policy") {
    card.bar = makeBar();
    button.append(card.bar.root);
  }
  if (node.kind !== "consumer") {
    card.fact = element("span", "fact");
    card.spark = shape("polyline", { class: "spark", points: "" });
    const svg = shape("svg", { viewBox: "0 0 100 22", preserveAspectRatio: "none", "aria-hidden": "true" });
    svg.append(card.spark);
    button.append(card.fact, svg);
    button.addEventListener("click", () => choose(node.key));
  } else {
    button.addEventListener("click", () => choose(node.key));
  }
  root.append(button);
  for (const guard of node.guards) {
    const chip = element("button", "chip");
    chip.type = "button";
    const text = element("span");
    chip.append(text);
    chip.addEventListener("click", () => choose(policyKey(guard)));
    card.chips.push({ guard, chip, text });
    root.append(chip);
  }
  return card;
}

function makeBar() {
  const root = element("div", "bar"), fill = element("i"), high = element("u"), low = element("u");
  root.append(fill, low, high);
  return { root, fill, high, low };
}

function updateBar(bar, usage, severity) {
  const share = Math.min(1, shareOf(usage) ?? 0);
  bar.root.hidden = !usage || usage.capacity === 0;
  bar.fill.style.width = (share * 100).toFixed(1) + "%";
  setClass(bar.fill, severity === "normal" ? "" : severity);
  for (const [mark, at] of [[bar.low, usage?.low_watermark], [bar.high, usage?.high_watermark]]) {
    mark.hidden = at === null || at === undefined;
    mark.style.left = (at ?? 0) * 100 + "%";
  }
}

function usageInWords(usage) {
  if (!usage) return "";
  return usage.capacity > 0 ? `${count(usage.used)} of ${count(usage.capacity)} ${usage.unit}` : `${count(usage.used)} ${usage.unit}`;
}

function updateCard(card, view, policies) {
  const { node, button } = card;
  const chosen = details.key === node.key ? " chosen" : "";
  if (node.kind === "stage") {
    const flow = view.snapshot.flows[node.flow], stage = flow.stages[node.index];
    const more = view.flows[node.flow].stages[node.index];
    const role = more.role === "ended" ? stage.last : ROLES[more.role];
    setText(card.role, role);
    const most = stage.bound.items;
    const holds = stage.buffered === null ? "" : `holds ${count(stage.buffered)}${most !== null && most < 1e15 ? " of " + count(most) : ""}`;
    setText(card.fact, node.index > 0 && holds ? holds : perSecond(more.per_second));
    setClass(button, "card " + more.role + chosen);
  } else if (node.kind === "consumer") {
    const role = view.flows[node.flow].consumer;
    const text = role === "ended" ? "ended" : role === "starved" ? "waits for items" : ROLES[role];
    setText(card.role, text);
    setClass(button, "card consumer " + role + chosen);
  } else {
    const policy = view.snapshot.policies[node.index];
    setText(card.role, `${policy.kind} · ${policy.condition.state}`);
    const age = policy.usage?.oldest_seconds;
    const used = policy.usage ? compact(policy.usage.used) + (policy.usage.capacity ? "/" + compact(policy.usage.capacity) : "") : "";
    setText(card.fact, [used, age !== null && age !== undefined ? seconds(age) : ""].filter(Boolean).join(" · "));
    updateBar(card.bar, policy.usage, policy.condition.severity);
    setClass(button, `card queue ${policy.condition.severity}${chosen}`);
  }
  for (const { guard, chip, text } of card.chips) {
    const policy = policies.get(guard);
    if (!policy) continue;
    const isWell = policy.condition.severity === "normal";
    setText(text, isWell ? short(guard, 30) : `${short(guard, 30)}: ${policy.condition.state}`);
    setClass(chip, "chip " + policy.condition.severity);
  }
  if (card.spark && graph.visible.has(node.key)) drawSpark(card.spark, node.key, node.kind === "policy" ? 1 : null);
}

function drawSpark(line, key, most, height = 22) {
  const series = model.series.get(key)?.first ?? [];
  const points = series.slice(-N_POINTS), top = most ?? Math.max(1, ...points);
  const step = 100 / Math.max(1, N_POINTS - 1), start = 100 - step * (points.length - 1);
  const text = points.map((value, index) =>
    `${(start + index * step).toFixed(1)},${(height - 1.5 - (height - 3) * Math.min(1, Math.max(0, value) / top)).toFixed(1)}`).join(" ");
  line.setAttribute("points", text);
}

function makeLine(edge, places, svg, canvas, nEdges) {
  const from = places.at.get(edge.from), to = places.at.get(edge.to);
  const mid = (place) => place.y + (place.height > 60 ? Math.min(place.height, SIZE.height) : place.height) / 2;
  let path, x, y;
  if (graph.isVertical) {
    const x0 = 36, y0 = from.y + from.height, y1 = to.y;
    const isNext = y1 > y0 && y1 - y0 <= SIZE.gapDown + SIZE.title + 1;
    path = isNext ? `M${x0},${y0} L${x0},${y1}` : `M8,${from.y + 30} L8,${to.y + 30}`;
    [x, y] = isNext ? [x0, (y0 + y1) / 2] : [8, from.y + from.height + 12];
  } else {
    const x0 = from.x + from.width, y0 = mid(from), x1 = to.x, y1 = mid(to);
    const bend = Math.max(30, (x1 - x0) / 2);
    path = y0 === y1 && x1 > x0 ? `M${x0},${y0} L${x1},${y1}` : `M${x0},${y0} C${x0 + bend},${y0} ${x1 - bend},${y1} ${x1},${y1}`;
    [x, y] = [(x0 + x1) / 2, (y0 + y1) / 2];
  }
  const line = shape("path", { d: path, class: "edge" });
  svg.append(line);
  // Hundreds of moving lines would keep the browser busy.
  const moving = nEdges <= 80 ? shape("path", { d: path, class: "moving" }) : null;
  if (moving) svg.append(moving);
  const text = element("div", "edge-label"), rate = element("span", "rate"), demand = element("span", "demand");
  text.setAttribute("aria-hidden", "true");
  text.append(rate, demand);
  text.style.left = x + "px";
  text.style.top = y + "px";
  canvas.append(text);
  return { edge, line, moving, text, rate, demand };
}

/** An edge has the numbers of the stage that it comes from; from a queue, those of what it feeds. */
function updateLine(line, view) {
  const from = graph.cards.get(line.edge.from)?.node, to = graph.cards.get(line.edge.to)?.node;
  let rate = null, demand;
  if (from?.kind === "stage") {
    rate = view.flows[from.flow].stages[from.index].per_second;
    demand = view.snapshot.flows[from.flow].stages[from.index].outstanding;
  } else if (from?.kind === "policy") {
    rate = view.policies[from.index].delivered_per_second;
    demand = view.snapshot.policies[from.index].kind === "queue" && to?.kind === "stage" ? view.snapshot.flows[to.flow].stages[to.index].outstanding : undefined;
  }
  const state = demand === undefined ? "unknown" : demand === 0 ? "held" : "credit";
  setClass(line.line, "edge " + state);
  setClass(line.text, "edge-label " + state);
  setText(line.rate, rate === null ? "" : perSecond(rate));
  setText(line.demand, demand === undefined ? "" : demand === 0 ? "no demand" : "asks " + compact(demand));
  if (line.moving) line.moving.style.display = rate > 0 && state === "credit" ? "" : "none";
}
