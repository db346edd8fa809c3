// Show a threshold: the pixels that have entered, the Betti numbers, and brightly the points
// that are alive.  Everything is looked up by the stop of the slider.
const time = threshold.categories.indexOf(threshold.value)
for (const mapper of entered) mapper.low = time + 0.5
for (const [box, sides] of boxes)
  box.setv(Object.fromEntries(sides.map((side) => [side, places[time]])))
betti.text = betti_texts[time]

const {always, born, dies} = points.data
const rows = Array.from(born.keys()).filter((row) =>
  always[row] || (born[row] <= time && time < dies[row]))
bright.data = Object.fromEntries(
  Object.keys(bright.data).map((name) => [name, rows.map((row) => points.data[name][row])]))
