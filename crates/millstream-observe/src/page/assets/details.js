// What is known about one place, beside the graph.

const details = { key: null, opener: null, signature: null };

function openDetails(key) {
  details.opener = document.activeElement;
  details.key = key;
  details.signature = null;
  document.getElementById("details").hidden = false;
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
  ];
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
