"use strict";
// Brings the view to life: reads the page's data, links space, slices, buttons and the tables of placements.

async function start() {
  const view = document.getElementById("view"), excuse = document.getElementById("view-absent");
  if (!view) return;
  if (typeof DecompressionStream === "undefined") {
    excuse.textContent = excuse.dataset.old;
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
    space.listenToKeys();
  } catch (error) {
    view.querySelector(".space").hidden = true;
    view.querySelectorAll(".only-space").forEach((part) => (part.hidden = true));
    excuse.textContent = excuse.dataset.flat;
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
    const told = (place) => ({ point: place.map((value) => value.toFixed(0)).join(", ") });
    const words = [filled(data.words.point, told(point))];
    if (toMni) words.push(filled(data.words.mni, told(toMni(point))));
    words.push(data.names[tissues.values[index]] || data.words.outside);
    const value = index < 0 ? null : voltsPerMetre(state.plan.slicesField, index);
    let field = data.words["no-field"];
    if (value !== null) {
      const full = state.plan.full_output;
      field = filled(data.words.field, { field: value.toFixed(2) });
      if (full) field += filled(data.words.full, { field: (value * full).toFixed(0) });
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
      button(
        `${index + 1}`,
        filled(data.words["rank-title"], { rank: index + 1, field: placement.strength.toFixed(2) }),
        () => plan.choose(index),
      )));
    view.querySelector(".strongest").textContent = plan.strongest.toFixed(2);
    view.querySelector(".half").textContent = (plan.strongest / 2).toFixed(2);
    plan.choose(0);
    go(plan.balls[0].centre);
  }

  function choosePlacement(index) {
    state.rank = index;
    const placement = state.plan.placements[index], best = state.plan.placements[0];
    press(view.querySelector("[data-choose=rank]"), index);
    const told = { rank: index + 1, count: state.plan.placements.length, field: placement.strength.toFixed(3) };
    let words = filled(data.words.placed, told);
    if (index) {
      const share = ((100 * placement.strength) / best.strength).toFixed(0);
      words += filled(data.words["placed-share"], { share });
    }
    view.querySelector(".placed").textContent = words;
    if (space) {
      space.place(index);
      space.describe(filled(data.words.space, { plan: state.plan.title, placed: words }));
    }
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

/** A sentence of the page's language with its {names} filled in. */
function filled(sentence, values) {
  return sentence.replace(/\{(\w+)\}/g, (_, name) => values[name]);
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
  const excuse = document.getElementById("view-absent");
  excuse.textContent = `${excuse.dataset.failed} (${error.message})`;
  throw error;
});
