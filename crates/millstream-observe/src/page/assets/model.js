// What is known: the last view, the last minutes of each series, and the graph that follows from it.

const N_POINTS = 240;
const MAX_EVENTS = 200;

const model = { view: null, instance: null, at: [], series: new Map(), events: [], offset: 0 };

function stageKey(flow, stage) { return "s\n" + flow + "\n" + stage; }
function policyKey(name) { return "p\n" + name; }
function consumerKey(flow) { return "c\n" + flow; }
function placeKey(place) {
  return place.stage ? stageKey(place.stage.flow, place.stage.stage) : policyKey(place.named);
}
function placeName(place) {
  return place.stage ? short(place.stage.flow) + "/" + short(place.stage.stage) : short(place.named);
}

/** The keys of all series, in the order of the server's points. */
function keysOf(view) {
  const stages = view.snapshot.flows.flatMap((flow) => flow.stages.map((stage) => stageKey(flow.name, stage.name)));
  return stages.concat(view.snapshot.policies.map((policy) => policyKey(policy.name)));
}

function pointOf(view) {
  const stages = view.snapshot.flows.flatMap((flow, f) => flow.stages.map((stage, s) =>
    [view.flows[f].stages[s].per_second, stage.outstanding ?? -1]));
  const policies = view.snapshot.policies.map((policy, p) =>
    [shareOf(policy.usage) ?? -1, view.policies[p].offered_per_second ?? -1]);
  return stages.concat(policies).flat();
}

function shareOf(usage) {
  return usage && usage.capacity > 0 ? usage.used / usage.capacity : null;
}

function remember(at, keys, point) {
  model.at.push(at);
  if (model.at.length > N_POINTS) model.at.shift();
  keys.forEach((key, index) => {
    let series = model.series.get(key);
    if (!series) model.series.set(key, series = { first: [], second: [] });
    series.first.push(point[2 * index]);
    series.second.push(point[2 * index + 1]);
    if (series.first.length > N_POINTS) { series.first.shift(); series.second.shift(); }
  });
  if (model.series.size > keys.length) {
    const known = new Set(keys);
    for (const key of model.series.keys()) if (!known.has(key)) model.series.delete(key);
  }
}

/** Returns whether this is another program than before: its page has another token and other controls. */
function isAnother(hello) {
  return model.instance !== null && model.instance !== hello.instance;
}

function takeHello(hello) {
  Object.assign(model, { view: hello.view, instance: hello.instance, at: [], series: new Map(), events: hello.events.slice() });
  model.offset = Date.now() - hello.view.snapshot.at_seconds * 1000;
  const keys = keysOf(hello.view);
  hello.history.points.forEach((point, index) => {
    if (point.length === 2 * keys.length) remember(hello.history.at_seconds[index], keys, point);
  });
}

function takeFrame(view) {
  model.view = view;
  model.events.push(...view.events);
  if (model.events.length > MAX_EVENTS) model.events.splice(0, model.events.length - MAX_EVENTS);
  remember(view.snapshot.at_seconds, keysOf(view), pointOf(view));
}

/** Nodes and edges of a view: stages, consumers, and the policies through which items go. */
function graphOf(view) {
  const nodes = new Map(), edges = [];
  const { flows, policies } = view.snapshot;
  const stated = view.snapshot.edges.filter((edge) => edge.kind === "stated");
  const inPath = new Set(stated.flatMap((edge) => [placeKey(edge.from), placeKey(edge.to)]));
  policies.forEach((policy, index) => {
    const key = policyKey(policy.name);
    if (inPath.has(key)) nodes.set(key, { key, kind: "policy", index, name: policy.name, guards: [] });
  });
  flows.forEach((flow, f) => {
    flow.stages.forEach((stage, index) => {
      const key = stageKey(flow.name, stage.name);
      nodes.set(key, { key, kind: "stage", flow: f, index, name: stage.name, guards: [] });
    });
    const last = flow.stages.at(-1);
    if (!last) return;
    const from = stageKey(flow.name, last.name);
    if (stated.some((edge) => placeKey(edge.from) === from)) return;
    const key = consumerKey(flow.name);
    nodes.set(key, { key, kind: "consumer", flow: f, name: "consumer", guards: [] });
    edges.push({ from, to: key });
  });
  for (const edge of view.snapshot.edges) {
    const from = placeKey(edge.from), to = placeKey(edge.to);
    if (edge.kind === "guard") nodes.get(to)?.guards.push(edge.from.named ?? edge.from.stage.stage);
    else if (nodes.has(from) && nodes.has(to)) edges.push({ from, to });
  }
  return { nodes, edges };
}

/** Changes when the graph has to be laid out anew. */
function topologyOf(view) {
  return JSON.stringify([keysOf(view), view.snapshot.edges]);
}

/** The layer of each node: one more than that of what feeds it; edges that close a circle do not count. */
function layersOf({ nodes, edges }) {
  const below = new Map([...nodes.keys()].map((key) => [key, []]));
  for (const edge of edges) below.get(edge.from).push(edge.to);
  const state = new Map(), order = [];
  for (const start of nodes.keys()) {
    if (state.has(start)) continue;
    const stack = [[start, 0]];
    state.set(start, 1);
    while (stack.length) {
      const top = stack.at(-1), next = below.get(top[0])[top[1]++];
      if (next === undefined) { state.set(top[0], 2); order.push(top[0]); stack.pop(); }
      else if (!state.has(next)) { state.set(next, 1); stack.push([next, 0]); }
    }
  }
  const rank = new Map(order.reverse().map((key, index) => [key, index]));
  const layer = new Map(order.map((key) => [key, 0]));
  for (const key of order) {
    for (const next of below.get(key)) {
      if (rank.get(next) > rank.get(key)) layer.set(next, Math.max(layer.get(next), layer.get(key) + 1));
    }
  }
  return layer;
}

/** A row for each node, so that a chain stays in its row and what joins it comes beside it. */
function rowsOf({ nodes, edges }, layer) {
  const near = new Map([...nodes.keys()].map((key) => [key, { above: [], below: [] }]));
  for (const { from, to } of edges) { near.get(from).below.push(to); near.get(to).above.push(from); }
  const row = new Map();
  let next = 0;
  for (const part of partsOf(nodes, near)) {
    const taken = new Map(); // row and layer
    const first = next;
    const sources = part.filter((key) => !near.get(key).above.some((other) => layer.get(other) < layer.get(key)));
    const put = (key, from) => {
      let at = from;
      while (taken.has(at + ":" + layer.get(key))) at += 1;
      taken.set(at + ":" + layer.get(key), key);
      row.set(key, at);
      next = Math.max(next, at + 1);
      return at;
    };
    for (const source of sources) {
      if (row.has(source)) continue;
      const stack = [[source, Math.max(first, row.size && source !== sources[0] ? freeRow(taken, layer, source, first) : first)]];
      while (stack.length) {
        const [key, wanted] = stack.pop();
        if (row.has(key)) continue;
        const at = put(key, wanted);
        for (const other of near.get(key).below.slice().reverse()) if (!row.has(other)) stack.push([other, at]);
      }
    }
    for (const key of part) if (!row.has(key)) put(key, first);
  }
  return row;
}

function freeRow(taken, layer, key, first) {
  let at = first;
  while (taken.has(at + ":" + layer.get(key))) at += 1;
  return at;
}

/** What hangs together. */
function partsOf(nodes, near) {
  const seen = new Set(), parts = [];
  for (const start of nodes.keys()) {
    if (seen.has(start)) continue;
    const part = [], stack = [start];
    seen.add(start);
    while (stack.length) {
      const key = stack.pop();
      part.push(key);
      for (const other of [...near.get(key).above, ...near.get(key).below]) {
        if (!seen.has(other)) { seen.add(other); stack.push(other); }
      }
    }
    const order = [...nodes.keys()];
    parts.push(part.sort((a, b) => order.indexOf(a) - order.indexOf(b)));
  }
  return parts;
}
