// What is known about one place, beside the graph.

const details = { key: null, opener: null, signature: null };
/** The last signals of the stage whose details are open, and whether they are being fetched. */
const flight = { key: null, stage: null, isComing: false };

function openDetails(key) {
  details.opener = document.activeElement;
  details.key = key;
  details.signature = null;
  document.getElementById("details").hidden = false;
  // What takes the focus is read aloud, so that it has its text before.
  renderDetails(page.held ?? model.view);
  scheduleRender();
  document.getElementById("details-title").focus();
}

function closeDetails() {
  document.getElementById("details").hidden = true;
  details.key = null;
  details.opener?.focus?.();
  scheduleRender();
}

function renderDetails(view) {
  if (details.key === null) return;
  const title = document.getElementById("details-title"), body = document.getElementById("details-body");
  const found = find(view, details.key);
  if (!found) return closeDetails();
  setText(title, found.title);
  const parts = found.parts();
  body.replaceChildren(...parts.filter(Boolean));
}

function find(view, key) {
  const [kind, name, stage] = key.split("\n");
  if (kind === "p") {
    const index = view.snapshot.policies.findIndex((policy) => policy.name === name);
    const policy = view.snapshot.policies[index];
    return policy && { title: policy.name, parts: () => policyParts(policy, view.policies[index], key) };
  }
  const f = view.snapshot.flows.findIndex((flow) => flow.name === name);
  if (f < 0) return null;
  const flow = view.snapshot.flows[f];
  if (kind === "c") return { title: `Consumer of ${flow.name}`, parts: () => consumerParts(flow, view.flows[f]) };
  const s = flow.stages.findIndex((one) => one.name === stage);
  return s < 0 ? null : { title: flow.stages[s].name, parts: () => stageParts(view, flow, f, s, key) };
}

function stageParts(view, flow, f, s, key) {
  const stage = flow.stages[s], more = view.flows[f].stages[s];
  const above = flow.stages[s - 1];
  return [
    element("p", "sub", `Stage of ${flow.name}`),
    stage.note && element("p", "", stage.note),
    element("p", "", ROLES_IN_SENTENCES[more.role]),
    heading("Last two minutes, items a second"), bigSpark(key, null),
    heading("Counters"),
    list([
      ["items a second", perSecond(more.per_second)],
      ["asked for below", count(stage.requested)],
      ["delivered", count(stage.delivered)],
      ["skipped below", count(stage.skipped)],
      ["outstanding demand", count(stage.outstanding)],
      above && ["asks above for", count(above.outstanding)],
      stage.buffered !== null && ["holds", count(stage.buffered)],
      stage.bound.items !== null && ["holds at most", count(stage.bound.items > 1e15 ? null : stage.bound.items)],
      ["last signal", stage.last],
    ]),
    ...guardParts(view, key),
    ...flightParts(flow.name, stage.name, key),
  ];
}

/** The last signals, as they were fetched last; fetched anew for each frame while they are shown. */
function flightParts(flow, stage, key) {
  if (flight.key !== key) Object.assign(flight, { key, stage: null });
  if (!flight.isComing && !page.isPaused) fetchFlight(flow, stage, key);
  if (!flight.stage) return [];
  const { signals } = flight.stage.stages[0];
  const link = element("a", "button", "Trace for Chrome and Perfetto");
  link.href = "flight.trace.json";
  link.download = "millstream-trace.json";
  const line = element("p");
  line.append(link);
  return [heading("Last signals"), marbles(signals), signalList(signals, flight.stage.at_seconds), line];
}

async function fetchFlight(flow, stage, key) {
  flight.isComing = true;
  try {
    const response = await fetch(`flight/${encodeURIComponent(flow)}/${encodeURIComponent(stage)}`);
    const found = response.ok ? await response.json() : null;
    if (flight.key === key) flight.stage = found;
  } catch {
    // The program is gone for now; the line at the top says so.
  }
  flight.isComing = false;
}

/** Marbles by the order of the signals, since many come at the same time. */
function marbles(signals) {
  const last = signals.slice(-24), step = 100 / Math.max(1, last.length);
  const svg = shape("svg", { class: "marbles", viewBox: "0 0 400 44", role: "img" });
  svg.setAttribute("aria-label", "the last signals, the latest at the end: " + last.map(signInWords).join(", "));
  svg.append(shape("path", { class: "edge unknown", d: "M0,22 L400,22" }));
  last.forEach((signal, index) => {
    const x = ((index + 0.5) * step * 4).toFixed(1);
    const mark = signal.signal === "item" ? shape("circle", { class: "item", cx: x, cy: 22, r: 6 })
      : signal.signal === "skipped" ? shape("circle", { class: "skipped", cx: x, cy: 22, r: 5 })
      : signal.signal === "request" ? shape("path", { class: "request", d: `M${x},12 l-6,-9 h12 z` })
      : signal.signal === "completed" ? shape("path", { class: "end", d: `M${x},12 v20` })
      : shape("path", { class: signal.signal === "failed" ? "bad" : "end", d: `M${x},22 m-6,-6 l12,12 m0,-12 l-12,12` });
    if (signal.signal === "request") {
      const n = shape("text", { x, y: 42, "text-anchor": "middle" });
      n.textContent = compact(signal.n ?? null);
      svg.append(n);
    }
    svg.append(mark);
  });
  return svg;
}

function signInWords(signal) {
  return signal.signal === "request" ? "asks for " + count(signal.n ?? null) : signal.signal;
}

/** The latest first; what came several times at once is one line. */
function signalList(signals, now) {
  const lines = [];
  for (const signal of signals.slice().reverse()) {
    const words = signInWords(signal), ago = seconds(Math.max(0, now - signal.at_seconds)) + " ago", top = lines.at(-1);
    if (top && top.words === words && top.ago === ago) top.n += 1;
    else lines.push({ words, ago, n: 1 });
  }
  return list(lines.slice(0, 12).map(({ words, ago, n }) => [ago, n > 1 ? `${words} × ${count(n)}` : words]));
}

function guardParts(view, key) {
  const guards = view.snapshot.edges.filter((edge) => edge.kind === "guard" && placeKey(edge.to) === key);
  if (!guards.length) return [];
  const names = new Set(guards.map((edge) => edge.from.named));
  const rows = view.snapshot.policies.filter((policy) => names.has(policy.name));
  return [heading("Behind"), list(rows.map((policy) =>
    [`${policy.kind} ${short(policy.name)}`, [policy.condition.state, policy.condition.reason].filter(Boolean).join(": ")]))];
}

function consumerParts(flow, more) {
  const last = flow.stages.at(-1);
  return [
    element("p", "", ROLES_IN_SENTENCES[more.consumer]),
    more.verdict && element("p", "", more.verdict.text),
    heading("Counters"),
    list([["asked for", count(last.requested)], ["received", count(last.delivered)], ["outstanding", count(last.outstanding)], ["last signal", last.last]]),
  ];
}

function policyParts(policy, more, key) {
  const { condition, usage, ledger, bound } = policy;
  const state = element("span", "state " + condition.severity, condition.state);
  const line = element("p");
  line.append(state);
  const settings = policy.settings && typeof policy.settings === "object" ? Object.entries(policy.settings) : [];
  return [
    element("p", "sub", policy.kind.replaceAll("_", " ")),
    line,
    condition.reason && element("p", "", condition.reason),
    policy.note && element("p", "", policy.note),
    usage && heading("Use"),
    usage && list([
      ["used", usageInWords(usage)],
      usage.waiting > 0 && ["waiting for it", count(usage.waiting)],
      usage.oldest_seconds !== null && ["oldest has waited", seconds(usage.oldest_seconds)],
    ]),
    usage && usage.capacity > 0 && heading("Last two minutes, share in use"),
    usage && usage.capacity > 0 && bigSpark(key, 1),
    ledger && heading("Ledger"), ledger && ledgerBar(ledger),
    ledger && list([
      ["offered", count(ledger.offered)], ["delivered", count(ledger.delivered)], ["in it", count(ledger.queued)],
      ...Object.entries(ledger.dropped).map(([reason, n]) => ["refused: " + reason.replaceAll("_", " "), count(n)]),
      more.dropped_per_second > 0 && ["refused a second", perSecond(more.dropped_per_second)],
    ]),
    policy.values.length > 0 && heading("Counters"),
    policy.values.length > 0 && list(policy.values.slice(0, 100).map(valueInWords)),
    bound.items > 0 && heading("Bound"),
    bound.items > 0 && list([["items", count(bound.items)], ["bytes each", bytes(bound.item_bytes)]]),
    settings.length > 0 && heading("Settings"),
    settings.length > 0 && list(settings.filter(([, value]) => value !== null).map(([name, value]) =>
      [name.replaceAll("_", " "), typeof value === "object" ? JSON.stringify(value) : String(value)])),
  ];
}

function heading(text) { return element("h3", "", text); }

function list(pairs) {
  const made = element("dl");
  for (const pair of pairs) if (pair) made.append(element("dt", "", pair[0]), element("dd", "", pair[1]));
  return made;
}

function bigSpark(key, most) {
  const svg = shape("svg", { class: "big", viewBox: "0 0 100 64", preserveAspectRatio: "none", role: "img" });
  const series = model.series.get(key)?.first ?? [];
  const last = series.at(-1) ?? 0, top = Math.max(0, ...series);
  svg.setAttribute("aria-label", most ? `now ${Math.round(last * 100)} percent, at most ${Math.round(top * 100)}` : `now ${perSecond(last)}, at most ${perSecond(top)}`);
  const line = shape("polyline", { class: "spark", points: "" });
  svg.append(line);
  drawSpark(line, key, most, 64);
  return svg;
}

function ledgerBar(ledger) {
  const bar = element("div", "ledger");
  const dropped = Object.values(ledger.dropped).reduce((sum, n) => sum + n, 0);
  const total = Math.max(1, ledger.delivered + ledger.queued + dropped);
  for (const [name, n] of [["delivered", ledger.delivered], ["queued", ledger.queued], ["dropped", dropped]]) {
    const part = element("i", name);
    part.style.width = (100 * n) / total + "%";
    bar.append(part);
  }
  bar.setAttribute("role", "img");
  bar.setAttribute("aria-label", `delivered ${count(ledger.delivered)}, in it ${count(ledger.queued)}, refused ${count(dropped)}`);
  return bar;
}
