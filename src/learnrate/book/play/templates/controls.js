// What the reader does: sliders, buttons, the handle, the language. The last lines begin.

/** Drag the start of the run, or move it with the arrow keys. */
function listenToHandle() {
  const handle = find("handle");
  const moveTo = (weights) => {
    const finished = state.at === totalSteps(chosen());
    state.weights = weights.map((value, j) => Number(Math.min(view.high[j], Math.max(view.low[j], value)).toFixed(2)));
    if (finished) state.at = Infinity;
    show();
  };
  handle.addEventListener("pointerdown", (event) => { dragged = true; handle.setPointerCapture(event.pointerId); });
  handle.addEventListener("pointermove", (event) => {
    if (!dragged) return;
    const { left, top } = find("bowl").getBoundingClientRect();
    moveTo(view.weightsAt(event.clientX - left, event.clientY - top));
  });
  for (const name of ["pointerup", "pointercancel"]) handle.addEventListener(name, () => { dragged = false; show(); });
  handle.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1] }[event.key];
    if (!step) return;
    event.preventDefault();
    moveTo(step.map((length, j) => run.path[0][j] + length));
  });
}

/** Train on, a part of the run for each frame. */
function play() {
  if (state.at >= totalSteps(chosen())) state.at = 0;
  let before = performance.now(), owed = 0;
  const frame = (time) => {
    if (running !== frame) return;
    const total = totalSteps(chosen());
    owed += (Math.max(0, time - before) / ANIMATION_MS) * total;
    before = time;
    state.at = Math.min(total, state.at + Math.floor(owed));
    owed -= Math.floor(owed);
    if (state.at >= total) running = null;
    show();
    if (running) requestAnimationFrame(frame);
  };
  running = frame;
  requestAnimationFrame(frame);
}

function pause() {
  running = null;
  show();
}

function setLanguage(lang) {
  state.lang = lang;
  document.documentElement.lang = lang === "zh" ? "zh-CN" : "en";
  document.title = say("title");
  for (const part of document.querySelectorAll("[data-text]")) part.textContent = say(part.dataset.text);
  for (const part of document.querySelectorAll("[data-label]")) part.setAttribute("aria-label", say(part.dataset.label));
  for (const button of document.querySelectorAll("[data-lang]")) button.setAttribute("aria-pressed", String(button.dataset.lang === lang));
  shownTrack = null;
  show();
}

function listen() {
  const settings = { eta: "rate", batch: "batch", stretch: "stretch", epochs: "epochs", noise: "noise" };
  const lists = { eta: RATES, batch: BATCHES, stretch: STRETCHES, epochs: EPOCHS, noise: NOISES };
  for (const [id, name] of Object.entries(settings)) {
    find(id).max = lists[id].length - 1;
    find(id).addEventListener("input", () => {
      const finished = state.at === totalSteps(chosen());
      state[name] = Number(find(id).value);
      if (finished) state.at = Infinity; // a finished run stays finished
      show();
    });
  }
  find("run").addEventListener("click", () => (running ? pause() : play()));
  find("step").addEventListener("click", () => { running = null; state.at += 1; show(); });
  find("restart").addEventListener("click", () => { state.at = 0; pause(); });
  find("other").addEventListener("click", () => { Object.assign(state, { seed: state.seed + 1, weights: null, at: 0 }); play(); });
  for (const button of document.querySelectorAll("[data-lang]")) button.addEventListener("click", () => setLanguage(button.dataset.lang));
  new ResizeObserver(() => show()).observe(document.querySelector(".figures"));
}

/** As a part of another page the frame is as high as what is in it, on a wide page and on a narrow one. */
function fitFrame() {
  new ResizeObserver(() => {
    frameElement.style.height = `${document.body.offsetHeight + 8}px`;
  }).observe(document.body);
}

function begin() {
  const { language } = document.body.dataset;
  listen();
  listenToHandle();
  if (frameElement) fitFrame();
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) state.at = Infinity;
  setLanguage(language || (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en"));
  if (state.at === 0) play();
}

begin();
