// The page: what comes, what is shown, and what can be pressed.

const page = { isPaused: false, isScheduled: false, held: null, rows: new Map(), shownEvents: 0, lastEvent: null };

function scheduleRender() {
  if (page.isScheduled || !model.view) return;
  page.isScheduled = true;
  requestAnimationFrame(() => {
    page.isScheduled = false;
    render();
  });
}

function render() {
  const view = page.held ?? model.view;
  renderVerdicts(view);
  renderGraph(view, openDetails);
  renderPolicies(view);
  renderEvents();
  renderDetails(view);
}

function renderVerdicts(view) {
  const list = document.getElementById("verdicts");
  const flows = view.snapshot.flows;
  while (list.children.length > flows.length) list.lastChild.remove();
  flows.forEach((flow, index) => {
    if (!list.children[index]) {
      const item = element("li"), button = element("button", "verdict");
      button.type = "button";
      button.append(element("b"), element("span", "text"), element("span", "rate"));
      item.append(button);
      list.append(item);
    }
    const button = list.children[index].firstChild, [name, text, rate] = button.children;
    const { verdict, stages, consumer } = view.flows[index];
    setText(name, short(flow.name));
    setSentence(text, verdict ? sentence(shortNames(verdict.text)) : flow.stages.length ? "Nothing was asked for yet." : "It has no stages.");
    setText(rate, stages.length ? perSecond(stages.at(-1).per_second) : "");
    const isBottleneck = consumer === "bottleneck" || stages.some((stage) => stage.role === "bottleneck");
    const hasFailed = flow.stages.at(-1)?.last === "failed";
    setClass(button, "verdict" + (hasFailed ? " failed" : verdict?.policy ? " guarded" : isBottleneck ? " bottleneck" : ""));
    const key = verdict?.culprit ? stageKey(flow.name, verdict.culprit) : consumerKey(flow.name);
    button.onclick = () => show(key);
  });
}

function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1) + (text.endsWith(".") ? "" : ".");
}

/** A sentence with the names, which are in backticks, in bold. */
function setSentence(node, text) {
  if (node.dataset.text === text) return;
  node.dataset.text = text;
  node.replaceChildren(...text.split("`").map((part, index) =>
    index % 2 ? element("b", "", part) : document.createTextNode(part)));
}

/** Names of thousands of characters are cut. */
function shortNames(text) {
  return text.split("`").map((part, index) => (index % 2 ? short(part) : part)).join("`");
}

function show(key) {
  const card = graph.cards.get(key);
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  card?.root.scrollIntoView({ block: "nearest", inline: "center", behavior: still ? "auto" : "smooth" });
  card?.button.focus({ preventScroll: true });
  openDetails(key);
}

function renderPolicies(view) {
  const body = document.getElementById("policies");
  const names = new Set(view.snapshot.policies.map((policy) => policy.name));
  document.getElementById("no-policies").hidden = names.size > 0;
  for (const [name, row] of page.rows) if (!names.has(name)) { row.root.remove(); page.rows.delete(name); }
  view.snapshot.policies.forEach((policy, index) => {
    let row = page.rows.get(policy.name);
    if (!row) {
      page.rows.set(policy.name, row = makeRow(policy.name));
      body.append(row.root);
    }
    const more = view.policies[index];
    setText(row.kind, policy.kind.replaceAll("_", " "));
    setText(row.state, policy.condition.state);
    setClass(row.state, "state " + policy.condition.severity);
    setText(row.reason, policy.condition.reason ?? "");
    setText(row.used, usageInWords(policy.usage));
    updateBar(row.bar, policy.usage, policy.condition.severity);
    setText(row.offered, more.offered_per_second === null ? "" : compact(more.offered_per_second));
    setText(row.dropped, more.dropped_per_second === null ? "" : compact(more.dropped_per_second));
  });
}

function makeRow(name) {
  const root = element("tr"), head = element("th"), state = element("td"), used = element("td");
  head.scope = "row";
  const link = element("button", "link", short(name));
  link.type = "button";
  link.addEventListener("click", () => openDetails(policyKey(name)));
  const row = {
    root, kind: element("span", "sub"), state: element("span", "state"), reason: element("span", "sub"),
    used: element("span", "sub"), bar: makeBar(), offered: element("td", "number"), dropped: element("td", "number"),
  };
  row.offered.dataset.label = "in /s";
  row.dropped.dataset.label = "refused /s";
  head.append(link, row.kind);
  state.append(row.state, row.reason);
  used.append(row.bar.root, row.used);
  root.append(head, state, used, row.offered, row.dropped);
  return row;
}

function renderEvents() {
  const list = document.getElementById("events");
  const latest = model.events.at(-1) ?? null;
  if (page.isPaused || (latest === page.lastEvent && list.children.length === model.events.length)) return;
  page.lastEvent = latest;
  document.getElementById("no-events").hidden = model.events.length > 0;
  list.replaceChildren(...model.events.slice().reverse().map((event) => {
    const item = element("li", event.severity), text = element("div"), time = element("time");
    const at = new Date(model.offset + event.at_millis);
    time.dateTime = at.toISOString();
    time.textContent = clock(at);
    const said = element("span");
    setSentence(said, shortNames(event.text));
    text.append(element("b", "", placeName(event.place)), document.createTextNode(" "), said);
    item.append(time, text);
    return item;
  }));
}

function setConnection(state, text) {
  const line = document.getElementById("connection");
  setClass(line, "connection " + state);
  setText(line, text);
}

function connect() {
  // It comes back by itself, also when the server was restarted.
  const source = new EventSource("events");
  source.addEventListener("hello", (message) => {
    const hello = JSON.parse(message.data);
    if (isAnother(hello)) {
      source.close();
      location.reload();
      return;
    }
    takeHello(hello);
    setConnection("live", page.isPaused ? "Paused" : "Live");
    scheduleRender();
  });
  source.addEventListener("frame", (message) => {
    takeFrame(JSON.parse(message.data));
    if (!page.isPaused && !document.hidden) scheduleRender();
  });
  source.addEventListener("error", () => {
    setConnection("lost", "Not connected: trying again");
    // A server that answers with an error is not tried again by the browser itself.
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, 3000);
  });
}

function pause() {
  page.isPaused = !page.isPaused;
  page.held = page.isPaused ? model.view : null;
  const button = document.getElementById("pause");
  button.setAttribute("aria-pressed", String(page.isPaused));
  setText(button, page.isPaused ? "Resume" : "Pause");
  document.body.classList.toggle("paused", page.isPaused);
  setConnection("live", page.isPaused ? "Paused" : "Live");
  scheduleRender();
}

function makeControls() {
  const controls = JSON.parse(document.querySelector("meta[name=controls]").content || "[]");
  if (!controls.length) return;
  document.getElementById("controls").hidden = false;
  const inputs = document.getElementById("inputs");
  for (const control of controls) {
    if (control.kind === "button") {
      const button = element("button", "", control.label);
      button.type = "button";
      button.addEventListener("click", () => send(control.id, ""));
      inputs.append(button);
    } else {
      const label = element("label", "", control.label), input = element("input"), value = element("output", "", compact(control.value));
      const step = (control.max - control.min) / 200;
      Object.assign(input, { type: "range", min: control.min, max: control.max, step: step >= 1 ? Math.round(step) : step });
      input.value = control.value;
      input.addEventListener("input", () => setText(value, compact(Number(input.value))));
      input.addEventListener("change", () => send(control.id, input.value));
      label.append(input, value);
      inputs.append(label);
    }
  }
}

async function send(id, value) {
  const token = new URLSearchParams(location.hash.slice(1)).get("token") || document.querySelector("meta[name=token]").content;
  const answer = document.getElementById("answer");
  try {
    const response = await fetch("controls/" + encodeURIComponent(id), {
      method: "POST", body: value, headers: { "x-millstream-token": token },
    });
    setText(answer, response.ok ? "" : await response.text());
  } catch {
    setText(answer, "The program did not answer.");
  }
}

document.getElementById("pause").addEventListener("click", pause);
document.getElementById("close").addEventListener("click", closeDetails);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && details.key !== null) closeDetails();
});
document.addEventListener("visibilitychange", () => { if (!document.hidden) scheduleRender(); });
new ResizeObserver(() => scheduleRender()).observe(document.getElementById("graph"));
makeControls();
connect();
