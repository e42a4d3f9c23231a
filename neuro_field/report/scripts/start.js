"use strict";
// Brings the view to life: reads the page's data, links space, slices, buttons and the tables of placements.

async function start() {
  const view = document.getElementById("view"), excuse = document.getElementById("view-absent");
  if (!view) return;
  if (typeof DecompressionStream === "undefined") {
    excuse.textContent = "The view that can be turned needs a browser of 2023 or later; the pictures show the same.";
    return;
  }
  const data = JSON.parse(document.getElementById("view-data").textContent);
  const [cortex, lesion, scalp, image, tissues, toMni] = await Promise.all([
    unpackedSurface(data.cortex), unpackedSurface(data.lesion), unpackedSurface(data.scalp),
    Block.of(data.image), Block.of(data.tissues), mniMap(data.mni),
  ]);
  for (const plan of data.plans) {
    [plan.cortexField, plan.slicesField, plan.casing] = await Promise.all([
      unpackedField(plan.cortex), unpackedField(plan.slices), unpackedSurface(plan.coil),
    ]);
  }
  view.hidden = false;
  excuse.hidden = true;
  const state = { plan: null, rank: 0 };
  const planes = new Planes([...view.querySelectorAll(".planes canvas")], data, { image, tissues }, (p) => go(p));
  let space = null;
  try {
    space = new Space(view.querySelector(".space"), data, { cortex, lesion, scalp }, (p) => go(p));
  } catch (error) {
    view.querySelector(".space").hidden = true;
    view.querySelectorAll(".only-space").forEach((part) => (part.hidden = true));
    excuse.textContent = "This browser offers no WebGL, so the head cannot be turned here: the slices work, and the pictures show the head.";
    excuse.hidden = false;
  }

  function go(point) {
    planes.go(point);
    if (space) space.mark(planes.point);
    read();
  }

  /** What lies under the crossing point, in words. */
  function read() {
    const point = planes.point, index = tissues.at(point);
    const words = [`(${point.map((value) => value.toFixed(0)).join(", ")}) mm in the head frame`];
    if (toMni) words.push(`MNI152 (${toMni(point).map((value) => value.toFixed(0)).join(", ")})`);
    words.push(data.names[tissues.values[index]] || "outside the head");
    const value = index < 0 ? null : voltsPerMetre(state.plan.slicesField, index);
    let field = "no field is shown outside the brain";
    if (value !== null) {
      field = `|E| = ${value.toFixed(2)} V/m at 1 A/µs`;
      if (state.plan.full_output) field += `, ${(value * state.plan.full_output).toFixed(0)} V/m at 100 % output`;
    }
    view.querySelector(".read").textContent = `${words.join(" · ")} · ${field}`;
  }

  function choosePlan(plan) {
    state.plan = plan;
    planes.show(plan);
    if (space) space.show(plan);
    press(view.querySelector("[data-choose=plan]"), data.plans.indexOf(plan));
    const ranks = view.querySelector("[data-choose=rank]");
    ranks.replaceChildren(...plan.placements.map((placement, index) =>
      button(`${index + 1}`, `Rank ${index + 1}: ${placement.strength.toFixed(2)} V/m in the target at 1 A/µs`, () => plan.choose(index))));
    view.querySelector(".strongest").textContent = plan.strongest.toFixed(2);
    view.querySelector(".half").textContent = (plan.strongest / 2).toFixed(2);
    plan.choose(0);
    go(plan.balls[0].centre);
  }

  function choosePlacement(index) {
    state.rank = index;
    const placement = state.plan.placements[index], best = state.plan.placements[0];
    press(view.querySelector("[data-choose=rank]"), index);
    let words = `Placement ${index + 1} of ${state.plan.placements.length}: ${placement.strength.toFixed(3)} V/m in the target at 1 A/µs`;
    if (index) words += `, ${((100 * placement.strength) / best.strength).toFixed(0)} % of the best. The colours stay those of the best placement's field.`;
    view.querySelector(".placed").textContent = words;
    if (space) space.place(index);
    document.querySelectorAll("tr[data-plan]").forEach((row) =>
      row.classList.toggle("chosen", row.dataset.plan === state.plan.name && Number(row.dataset.rank) === index + 1));
  }

  for (const plan of data.plans) {
    plan.choose = (index) => choosePlacement(index);
    view.querySelector("[data-choose=plan]").append(button(plan.title, "", () => choosePlan(plan)));
  }
  view.querySelector("[data-choose=plan]").hidden = data.plans.length < 2;
  view.querySelectorAll("[data-from]").forEach((way) =>
    way.addEventListener("click", () => space.from(way.dataset.from)));
  view.querySelectorAll("[data-show]").forEach((box) => {
    box.addEventListener("change", () => {
      const name = box.dataset.show;
      if (name in planes.shown) planes.shown[name] = box.checked;
      planes.draw();
      if (!space) return;
      if (space[name] && name !== "scalp") space[name].visible = box.checked;
      space.holder.classList.toggle(`without-${name}`, !box.checked);
      space.draw();
    });
  });
  view.querySelector("[data-fade=scalp]").addEventListener("input", (event) => {
    space.scalp.material.opacity = Number(event.target.value) / 100;
    space.scalp.material.depthWrite = space.scalp.material.opacity > 0.99;
    space.scalp.visible = space.scalp.material.opacity > 0;
    space.draw();
  });
  document.querySelectorAll("tr[data-plan]").forEach((row) => {
    const plan = data.plans.find((candidate) => candidate.name === row.dataset.plan);
    if (!plan) return;
    const chosen = (event) => {
      if (event.target.closest("details")) return;
      if (state.plan !== plan) choosePlan(plan);
      plan.choose(Number(row.dataset.rank) - 1);
      view.scrollIntoView({ block: "start" });
    };
    row.classList.add("choice");
    row.tabIndex = 0;
    row.addEventListener("click", chosen);
    row.addEventListener("keydown", (event) => event.key === "Enter" && chosen(event));
  });
  new ResizeObserver(() => planes.draw()).observe(view.querySelector(".planes"));
  choosePlan(data.plans[0]);
  document.documentElement.dataset.view = "ready";
}

function button(words, title, onClick) {
  const made = document.createElement("button");
  made.textContent = words;
  made.title = title;
  made.addEventListener("click", onClick);
  return made;
}

function press(group, index) {
  [...group.children].forEach((child, i) => child.setAttribute("aria-pressed", i === index));
}

start().catch((error) => {
  document.getElementById("view-absent").textContent = `The view that can be turned failed to start (${error.message}); the pictures show the same.`;
  throw error;
});
