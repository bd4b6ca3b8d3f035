const drawing = JSON.parse(document.getElementById("drawing").textContent);
const config = { displaylogo: false, responsive: true, modeBarButtonsToRemove: ["lasso2d", "select2d"] };
const rates = drawing.curves.data.filter((trace) => trace.name);
const hidden = new Set();
const chosen = { theme: "light", scale: "log" };

// "@rate3/0.18" is the third rate's colour in the chosen theme, at that opacity; such a colour must be given as rgb(…).
function colour(token) {
  const [name, opacity] = token.slice(1).split("/");
  const found = drawing.palettes[chosen.theme][name];
  return opacity ? found.replace("rgb(", "rgba(").replace(")", `, ${opacity})`) : found;
}

function coloured(part) {
  if (typeof part === "string") return part.startsWith("@") ? colour(part) : part;
  if (Array.isArray(part)) return part.map(coloured);
  if (part === null || typeof part !== "object") return part;
  return Object.fromEntries(Object.entries(part).map(([key, value]) => [key, coloured(value)]));
}

function draw(id) {
  const { data, layout } = coloured(drawing[id]);
  if (id === "curves") {
    const range = layout.meta[chosen.scale];
    layout.yaxis.type = chosen.scale;
    if (range) layout.yaxis.range = range;
    if (chosen.scale === "log" && layout.meta.ticks) layout.yaxis.dtick = layout.meta.ticks;
    data.forEach((trace) => { trace.visible = !hidden.has(trace.legendgroup); });
  }
  return Plotly.react(document.getElementById(id), data, layout, config);
}

function show() {
  document.documentElement.classList.toggle("dark", chosen.theme === "dark");
  document.getElementById("theme").setAttribute("aria-pressed", String(chosen.theme === "dark"));
  document.querySelectorAll("[data-scale]").forEach((button) => {
    button.setAttribute("aria-pressed", String(button.dataset.scale === chosen.scale));
  });
  document.querySelectorAll("#legend button").forEach((button) => {
    button.setAttribute("aria-pressed", String(!hidden.has(button.dataset.rate)));
    button.firstChild.style.background = colour(button.dataset.colour);
  });
  draw("curves");
  draw("rates");
}

function toggle(rate) {
  if (!hidden.delete(rate)) hidden.add(rate);
  show();
}

function alone(rate) {
  const others = rates.filter((other) => other.name !== rate).map((other) => other.name);
  const already = others.every((other) => hidden.has(other)) && !hidden.has(rate);
  hidden.clear();
  if (!already) others.forEach((other) => hidden.add(other));
  show();
}

function makeLegend() {
  const legend = document.getElementById("legend");
  for (const trace of rates) {
    const button = document.createElement("button");
    const swatch = document.createElement("span");
    swatch.className = "swatch";
    button.type = "button";
    button.dataset.rate = trace.name;
    button.dataset.colour = trace.line.color;
    button.append(swatch, trace.name);
    // The two clicks of a double-click have hidden and shown the rate by the time it arrives.
    button.addEventListener("click", () => toggle(trace.name));
    button.addEventListener("dblclick", () => alone(trace.name));
    legend.append(button);
  }
}

function start(scale) {
  chosen.scale = scale;
  chosen.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  makeLegend();
  document.getElementById("theme").addEventListener("click", () => {
    chosen.theme = chosen.theme === "dark" ? "light" : "dark";
    show();
  });
  document.querySelectorAll("[data-scale]").forEach((button) => {
    button.addEventListener("click", () => { chosen.scale = button.dataset.scale; show(); });
  });
  show();
}
